module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/jest.ts'],
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      { tsconfig: { module: 'commonjs', moduleResolution: 'node', esModuleInterop: true, strict: true } },
    ],
  },
};
