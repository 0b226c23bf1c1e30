/** The functions of ggml that build, place and compute graphs of our own (src/llama/gradient). */
import { base, ggml, type Pointer } from './signature.ts';
import type { InitParams } from './structs.ts';

type OneOperand = (context: Pointer, a: Pointer) => Pointer;
type TwoOperands = (context: Pointer, a: Pointer, b: Pointer) => Pointer;
type ThreeOperands = (context: Pointer, a: Pointer, b: Pointer, c: Pointer) => Pointer;

const one = (name: string) => base<OneOperand>(`P ${name}(P context, P a)`);
const two = (name: string) => base<TwoOperands>(`P ${name}(P context, P a, P b)`);
const three = (name: string) => base<ThreeOperands>(`P ${name}(P context, P a, P b, P c)`);

export const graphSignatures = {
  // contexts, graphs and their memory
  ggml_init: base<(params: InitParams) => Pointer>('P ggml_init(ggml_init_params params)'),
  ggml_free: base<(context: Pointer) => void>('void ggml_free(P context)'),
  ggml_tensor_overhead: base<() => number>('size_t ggml_tensor_overhead()'),
  ggml_graph_overhead_custom: base<(nodes: number, gradients: boolean) => number>(
    'size_t ggml_graph_overhead_custom(size_t nodes, bool gradients)',
  ),
  ggml_new_graph_custom: base<(context: Pointer, nodes: number, gradients: boolean) => Pointer>(
    'P ggml_new_graph_custom(P context, size_t nodes, bool gradients)',
  ),
  ggml_build_forward_expand: base<(graph: Pointer, tensor: Pointer) => void>('void ggml_build_forward_expand(P graph, P tensor)'),
  ggml_graph_add_node: base<(graph: Pointer, tensor: Pointer) => void>('void ggml_graph_add_node(P graph, P tensor)'),
  ggml_graph_n_nodes: base<(graph: Pointer) => number>('int ggml_graph_n_nodes(P graph)'),
  ggml_graph_node: base<(graph: Pointer, index: number) => Pointer>('P ggml_graph_node(P graph, int index)'),
  ggml_new_tensor_4d: base<(context: Pointer, type: number, a: number, b: number, c: number, d: number) => Pointer>(
    'P ggml_new_tensor_4d(P context, int type, int64 a, int64 b, int64 c, int64 d)',
  ),
  ggml_set_name: base<(tensor: Pointer, name: string) => Pointer>('P ggml_set_name(P tensor, str name)'),
  ggml_set_input: base<(tensor: Pointer) => void>('void ggml_set_input(P tensor)'),
  ggml_set_output: base<(tensor: Pointer) => void>('void ggml_set_output(P tensor)'),
  ggml_gallocr_new: base<(bufferType: Pointer) => Pointer>('P ggml_gallocr_new(P buffer_type)'),
  ggml_gallocr_alloc_graph: base<(allocator: Pointer, graph: Pointer) => boolean>(
    'bool ggml_gallocr_alloc_graph(P allocator, P graph)',
  ),
  /** Plans without allocating; writes one size per buffer. */
  ggml_gallocr_reserve: base<(allocator: Pointer, graph: Pointer) => boolean>('bool ggml_gallocr_reserve(P allocator, P graph)'),
  ggml_gallocr_reserve_n_size: base<
    (allocator: Pointer, graph: Pointer, nodeBuffers: null, leafBuffers: null, sizes: BigUint64Array) => void
  >('void ggml_gallocr_reserve_n_size(P allocator, P graph, P node_buffers, P leaf_buffers, P sizes)'),
  ggml_gallocr_get_buffer_size: base<(allocator: Pointer, buffer: number) => number>(
    'size_t ggml_gallocr_get_buffer_size(P allocator, int buffer)',
  ),
  ggml_gallocr_free: base<(allocator: Pointer) => void>('void ggml_gallocr_free(P allocator)'),

  // the processor backend
  ggml_backend_init_by_type: ggml<(type: number, params: null) => Pointer>('P ggml_backend_init_by_type(int type, str params)'),
  ggml_backend_free: base<(backend: Pointer) => void>('void ggml_backend_free(P backend)'),
  ggml_backend_get_device: base<(backend: Pointer) => Pointer>('P ggml_backend_get_device(P backend)'),
  ggml_backend_dev_backend_reg: base<(device: Pointer) => Pointer>('P ggml_backend_dev_backend_reg(P device)'),
  ggml_backend_reg_get_proc_address: base<(registry: Pointer, name: string) => Pointer>(
    'P ggml_backend_reg_get_proc_address(P registry, str name)',
  ),
  ggml_backend_get_default_buffer_type: base<(backend: Pointer) => Pointer>('P ggml_backend_get_default_buffer_type(P backend)'),
  /** 0 done, 1 aborted, negative: failed. */
  ggml_backend_graph_compute: base<(backend: Pointer, graph: Pointer) => number>(
    'int ggml_backend_graph_compute(P backend, P graph)',
  ),
  ggml_backend_alloc_ctx_tensors: base<(context: Pointer, backend: Pointer) => Pointer>(
    'P ggml_backend_alloc_ctx_tensors(P context, P backend)',
  ),
  ggml_backend_buffer_free: base<(buffer: Pointer) => void>('void ggml_backend_buffer_free(P buffer)'),
  ggml_backend_buffer_clear: base<(buffer: Pointer, value: number) => void>(
    'void ggml_backend_buffer_clear(P buffer, uint8 value)',
  ),
  ggml_backend_buffer_get_size: base<(buffer: Pointer) => number>('size_t ggml_backend_buffer_get_size(P buffer)'),
  /** 0 any, 1 weights, 2 compute. */
  ggml_backend_buffer_get_usage: base<(buffer: Pointer) => number>('int ggml_backend_buffer_get_usage(P buffer)'),
  ggml_backend_buffer_is_host: base<(buffer: Pointer) => boolean>('bool ggml_backend_buffer_is_host(P buffer)'),

  // names of operators inside operators
  ggml_unary_op_name: base<(operator: number) => string>('str ggml_unary_op_name(int operator)'),
  ggml_glu_op_name: base<(operator: number) => string>('str ggml_glu_op_name(int operator)'),

  // operators
  ggml_add: two('ggml_add'),
  ggml_sub: two('ggml_sub'),
  ggml_mul: two('ggml_mul'),
  ggml_div: two('ggml_div'),
  ggml_sqrt: one('ggml_sqrt'),
  ggml_log: one('ggml_log'),
  ggml_sum_rows: one('ggml_sum_rows'),
  ggml_scale: base<(context: Pointer, a: Pointer, factor: number) => Pointer>('P ggml_scale(P context, P a, float factor)'),
  ggml_scale_bias: base<(context: Pointer, a: Pointer, factor: number, bias: number) => Pointer>(
    'P ggml_scale_bias(P context, P a, float factor, float bias)',
  ),
  ggml_fill: base<(context: Pointer, a: Pointer, value: number) => Pointer>('P ggml_fill(P context, P a, float value)'),
  ggml_unary: base<(context: Pointer, a: Pointer, operator: number) => Pointer>('P ggml_unary(P context, P a, int operator)'),
  ggml_silu_back: two('ggml_silu_back'),
  ggml_rms_norm_back: base<(context: Pointer, gradient: Pointer, x: Pointer, epsilon: number) => Pointer>(
    'P ggml_rms_norm_back(P context, P gradient, P x, float epsilon)',
  ),
  ggml_soft_max_ext_back_inplace: base<
    (context: Pointer, gradient: Pointer, y: Pointer, scale: number, maximumBias: number) => Pointer
  >('P ggml_soft_max_ext_back_inplace(P context, P gradient, P y, float scale, float maximum_bias)'),
  ggml_rope_ext_back: base<
    (
      context: Pointer,
      gradient: Pointer,
      positions: Pointer,
      factors: Pointer,
      dimensions: number,
      mode: number,
      originalContext: number,
      frequencyBase: number,
      frequencyScale: number,
      extrapolation: number,
      attentionFactor: number,
      betaFast: number,
      betaSlow: number,
    ) => Pointer
  >(
    'P ggml_rope_ext_back(P context, P gradient, P positions, P factors, int dimensions, int mode, int original_context, ' +
      'float frequency_base, float frequency_scale, float extrapolation, float attention_factor, float beta_fast, float beta_slow)',
  ),
  ggml_mul_mat: two('ggml_mul_mat'),
  ggml_mul_mat_id: three('ggml_mul_mat_id'),
  ggml_out_prod: two('ggml_out_prod'),
  ggml_cont: one('ggml_cont'),
  ggml_transpose: one('ggml_transpose'),
  ggml_permute: base<(context: Pointer, a: Pointer, x: number, y: number, z: number, w: number) => Pointer>(
    'P ggml_permute(P context, P a, int x, int y, int z, int w)',
  ),
  ggml_reshape_4d: base<(context: Pointer, a: Pointer, x: number, y: number, z: number, w: number) => Pointer>(
    'P ggml_reshape_4d(P context, P a, int64 x, int64 y, int64 z, int64 w)',
  ),
  ggml_view_4d: base<
    (
      context: Pointer,
      a: Pointer,
      x: number,
      y: number,
      z: number,
      w: number,
      stride1: number,
      stride2: number,
      stride3: number,
      offset: number,
    ) => Pointer
  >(
    'P ggml_view_4d(P context, P a, int64 x, int64 y, int64 z, int64 w, size_t stride1, size_t stride2, size_t stride3, size_t offset)',
  ),
  ggml_cast: base<(context: Pointer, a: Pointer, type: number) => Pointer>('P ggml_cast(P context, P a, int type)'),
  ggml_cpy: two('ggml_cpy'),
  ggml_repeat: two('ggml_repeat'),
  ggml_repeat_back: two('ggml_repeat_back'),
  ggml_acc: base<
    (context: Pointer, a: Pointer, b: Pointer, stride1: number, stride2: number, stride3: number, offset: number) => Pointer
  >('P ggml_acc(P context, P a, P b, size_t stride1, size_t stride2, size_t stride3, size_t offset)'),
  ggml_get_rows_back: three('ggml_get_rows_back'),
  ggml_set_rows: three('ggml_set_rows'),
  ggml_concat: base<(context: Pointer, a: Pointer, b: Pointer, axis: number) => Pointer>(
    'P ggml_concat(P context, P a, P b, int axis)',
  ),
  ggml_custom_4d: base<
    (
      context: Pointer,
      type: number,
      x: number,
      y: number,
      z: number,
      w: number,
      operands: BigUint64Array,
      count: number,
      function_: Pointer,
      tasks: number,
      data: Pointer,
    ) => Pointer
  >(
    'P ggml_custom_4d(P context, int type, int64 x, int64 y, int64 z, int64 w, P operands, int count, P function_, int tasks, P data)',
  ),
} as const;
