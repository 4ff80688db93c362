// webpack as its command line runs it with `mode: 'production'`; its warnings and errors end the build.
import { join } from 'node:path';
import webpack from 'webpack';

const folder = process.cwd();
webpack({ mode: 'production', context: folder, entry: './main.js', output: { path: join(folder, 'dist'), filename: 'main.js' }, performance: false }, (error, stats) => {
  if (error) throw error;
  if (stats.hasErrors() || stats.hasWarnings()) {
    console.error(stats.toString('errors-warnings'));
    process.exitCode = 1;
  }
});
