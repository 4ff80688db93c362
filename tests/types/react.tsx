// JSX of React 19.
import 'aligndraw/element';

export const Drawing = () => <align-draw caption="a" seed={3n} words controls className="wide" ondone={(event) => event.detail.milliseconds} />;
// @ts-expect-error no such device
export const Wrong = () => <align-draw device="abacus" />;
