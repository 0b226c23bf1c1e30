import type { ModelInfo } from '../../model/model.ts';
import { layerRange } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { NeuronName } from './neuronEffects.ts';

/** `12.345`: neuron 345 of layer 12; '' means none. @throws E_TOOL_PARAMETER, E_LAYER_RANGE */
export function chosenNeuron(
  tool: string,
  given: string,
  { layers, neurons }: Pick<ModelInfo, 'layers' | 'neurons'>,
): NeuronName | null {
  if (given === '') return null;
  const found = /^L?(\d+)\.N?(\d+)$/i.exec(given.trim());
  if (found === null)
    throw toolParameter(tool, 'neuron', `${JSON.stringify(given)} names no neuron`, 'write layer.neuron, like 12.345');
  const [layer, neuron] = [Number(found[1]), Number(found[2])];
  if (layer >= layers) throw layerRange(`neuron ${given}`, layers);
  if (neuron >= neurons) {
    throw toolParameter(
      tool,
      'neuron',
      `a layer has ${neurons} neurons`,
      `use a number from 0 to ${neurons - 1} behind the point`,
    );
  }
  return { layer, neuron };
}
