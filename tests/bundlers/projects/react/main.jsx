/** @jsxImportSource react */
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { draw } from './draw.js';

function App() {
  useEffect(() => void draw(), []);
  return <align-draw caption="the digit seven is on the left of the digit two" seed={42} device="cpu" words controls />;
}

createRoot(document.getElementById('root')).render(<App />);
