/** @jsxImportSource preact */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { draw } from './draw.js';

function App() {
  useEffect(() => void draw(), []);
  return <align-draw caption="the digit seven is on the left of the digit two" seed={42} device="cpu" words controls />;
}

render(<App />, document.getElementById('root'));
