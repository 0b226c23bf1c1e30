/** How a C function is described: its library, its koffi prototype, and the type TypeScript sees. */

/** A native address; 0 is null. */
export type Pointer = number;

export interface Signature<Function_> {
  readonly library: 'base' | 'ggml' | 'llama';
  /** koffi prototype; `P` stands for an address. */
  readonly prototype: string;
  /** Only carries the type. */
  readonly type?: Function_;
}

export const llama = <Function_>(prototype: string): Signature<Function_> => ({ library: 'llama', prototype });
export const base = <Function_>(prototype: string): Signature<Function_> => ({ library: 'base', prototype });
export const ggml = <Function_>(prototype: string): Signature<Function_> => ({ library: 'ggml', prototype });
