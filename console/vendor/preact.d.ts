/** What `/vendor/preact.js` is: see console/server/page-files.ts. */
export * from 'preact';
