// JSX of Preact.
import 'aligndraw/describe';
import 'aligndraw/element';

export const Drawing = () => <align-draw caption="a" seed={3} words controls class="wide" onframe={(event) => event.detail.step} />;
export const Described = () => <align-describe src="a.jpg" alt="a" ondescribed={(event) => event.detail[0].text} />;
// @ts-expect-error no such device
export const Wrong = () => <align-draw device="abacus" />;
