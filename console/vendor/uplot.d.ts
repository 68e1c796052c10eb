/** What `/vendor/uplot.js` is: see console/server/page-files.ts. */
import uPlot from 'uplot';

export default uPlot;
