/**
 * What TypeScript and JSX know of `<align-describe>`, beside the class: `document.createElement('align-describe')`, its
 * events, and the element in React (19 and newer) and Preact.
 */
import type { AlignDescribeElement } from './align-describe.js';
import type { Sentence } from './aligndraw.js';

/** The element's events. `error` stays with the element; the other bubbles. */
export interface AlignDescribeEventMap {
  described: CustomEvent<Sentence[]>;
  error: CustomEvent<Error & { code?: string }>;
}

/** The element's attributes, as JSX writes them. */
export interface AlignDescribeAttributes {
  src?: string | null;
  alt?: string | null;
  model?: string | null;
  autoplay?: 'visible' | 'none' | null;
  ondescribed?: (event: AlignDescribeEventMap['described']) => void;
  onerror?: (event: AlignDescribeEventMap['error']) => void;
}

type Events = Omit<HTMLElementEventMap, keyof AlignDescribeEventMap> & AlignDescribeEventMap;

declare module './align-describe.js' {
  interface AlignDescribeElement {
    src: string | null;
    alt: string | null;
    model: string | null;
    autoplay: string | null;
    addEventListener<K extends keyof Events>(type: K, listener: (this: AlignDescribeElement, event: Events[K]) => any, options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
    removeEventListener<K extends keyof Events>(type: K, listener: (this: AlignDescribeElement, event: Events[K]) => any, options?: boolean | EventListenerOptions): void;
    removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'align-describe': AlignDescribeElement;
  }
}

// Where React or Preact is not installed there is nothing to extend: no error of the page's own.
// @ts-ignore
declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      'align-describe': AlignDescribeAttributes & Omit<import('react').HTMLAttributes<AlignDescribeElement> & import('react').ClassAttributes<AlignDescribeElement>, keyof AlignDescribeAttributes>;
    }
  }
}

// @ts-ignore
declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      'align-describe': AlignDescribeAttributes & Omit<import('preact').HTMLAttributes<AlignDescribeElement>, keyof AlignDescribeAttributes>;
    }
  }
}
