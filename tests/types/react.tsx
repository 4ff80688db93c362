// JSX of React 19.
import 'aligndraw/describe';
import 'aligndraw/element';

export const Drawing = () => <align-draw caption="a" seed={3n} words controls className="wide" ondone={(event) => event.detail.milliseconds} />;
export const Described = () => <align-describe src="a.jpg" alt="a" ondescribed={(event) => event.detail[0].text} />;
// @ts-expect-error no such way to start
export const Never = () => <align-describe autoplay="never" />;
// @ts-expect-error no such device
export const Wrong = () => <align-draw device="abacus" />;
