// JSX of Preact.
import 'aligndraw/element';

export const Drawing = () => <align-draw caption="a" seed={3} words controls class="wide" onframe={(event) => event.detail.step} />;
// @ts-expect-error no such device
export const Wrong = () => <align-draw device="abacus" />;
