/**
 * What TypeScript and JSX know of `<align-draw>`, beside the class: `document.createElement('align-draw')`, its
 * events, and the element in React (19 and newer) and Preact.
 */
import type { AlignDrawElement } from './align-draw.js';
import type { DeviceChoice, Done, Frame, SeedLike } from './aligndraw.js';

/** The element's events. `error` stays with the element; the others bubble. */
export interface AlignDrawEventMap {
  ready: CustomEvent<undefined>;
  frame: CustomEvent<Frame>;
  done: CustomEvent<Omit<Done, 'drawing'>>;
  error: CustomEvent<Error & { code?: string }>;
}

/** The element's attributes, as JSX writes them. */
export interface AlignDrawAttributes {
  caption?: string | null;
  seed?: SeedLike | null;
  model?: string | null;
  device?: DeviceChoice | null;
  autoplay?: 'visible' | 'load' | 'none' | null;
  loop?: boolean | null;
  controls?: boolean | null;
  editable?: boolean | null;
  words?: boolean | null;
  poster?: string | null;
  temperature?: number | string | null;
  layout?: string | null;
  onready?: (event: AlignDrawEventMap['ready']) => void;
  onframe?: (event: AlignDrawEventMap['frame']) => void;
  ondone?: (event: AlignDrawEventMap['done']) => void;
  onerror?: (event: AlignDrawEventMap['error']) => void;
}

type Events = Omit<HTMLElementEventMap, keyof AlignDrawEventMap> & AlignDrawEventMap;

declare module './align-draw.js' {
  interface AlignDrawElement {
    addEventListener<K extends keyof Events>(type: K, listener: (this: AlignDrawElement, event: Events[K]) => any, options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
    removeEventListener<K extends keyof Events>(type: K, listener: (this: AlignDrawElement, event: Events[K]) => any, options?: boolean | EventListenerOptions): void;
    removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'align-draw': AlignDrawElement;
  }
}

// Where React or Preact is not installed there is nothing to extend: no error of the page's own.
// @ts-ignore
declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      'align-draw': AlignDrawAttributes & Omit<import('react').HTMLAttributes<AlignDrawElement> & import('react').ClassAttributes<AlignDrawElement>, keyof AlignDrawAttributes>;
    }
  }
}

// @ts-ignore
declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      'align-draw': AlignDrawAttributes & Omit<import('preact').HTMLAttributes<AlignDrawElement>, keyof AlignDrawAttributes>;
    }
  }
}
