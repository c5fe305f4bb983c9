// What an author of a client writes against the types made of the API's document: a run is made, traced and predicted
// with. A name or a kind that the API does not know is refused: where nothing is wrong, `@ts-expect-error` is an error.
import type { components, paths } from './api';

type Json<Answer> = Answer extends { content: { 'application/json': infer Body } } ? Body : never;
type Made = Json<paths['/api/v1/runs']['post']['responses'][201]>;
type Traced = Json<paths['/api/v1/runs/{run_id}/trace']['get']['responses'][200]>;

export const spec: components['schemas']['Spec'] = { dataset: 'xor', hidden: [4], learning_rate: 0.1 };
export const seen = (run: Made): string => `${run.url} at step ${run.step} of ${run.spec.dataset ?? 'own data'}`;
export const slopes = (trace: Traced): (number | null)[] => trace.layers.flatMap((layer) => layer.db ?? []);

// @ts-expect-error A misspelled field.
export const misspelled: components['schemas']['Spec'] = { hiden: [4] };
// @ts-expect-error A data set that there is none.
export const unknown: components['schemas']['Spec'] = { dataset: 'xorr' };
// @ts-expect-error An answer's field that there is none.
export const nothing = (run: Made): unknown => run.los;
