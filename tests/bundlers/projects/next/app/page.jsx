import Drawing from './drawing';

export default function Page() {
  return <main><Drawing /></main>;
}
