'use client';
import { useEffect } from 'react';
import { draw } from '../draw';

export default function Drawing() {
  useEffect(() => void draw(), []);
  return <align-draw caption="the digit seven is on the left of the digit two" seed={42} device="cpu" />;
}
