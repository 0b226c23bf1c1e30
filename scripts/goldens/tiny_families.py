"""The tiny random models, one a family: transformers configuration, GGUF metadata and initialisation.

Sizes are small enough to ship (a few hundred KB) and multiples of 32, so that the files can be quantised.
"""

from dataclasses import dataclass, field

import gguf
import torch
import transformers
from gguf import MODEL_ARCH, GGUFWriter

VOCABULARY = 96
CONTEXT = 512
HEADS = 4
KEY_VALUE_HEADS = 2


@dataclass(frozen=True)
class Family:
    name: str
    architecture: MODEL_ARCH
    config: transformers.PretrainedConfig
    head_size: int
    # Standard deviation of the embeddings' entries.
    embedding_scale: float = 1.0
    # Query and key weights have standard deviation attention_gain / sqrt(inputs): sets how peaked attention is.
    attention_gain: float = 1.2
    # llama.cpp rotates neighbouring pairs for this architecture; transformers rotates halves.
    interleaved_rotation: bool = False
    metadata: dict = field(default_factory=dict)


def _sizes(hidden: int, neurons: int, layers: int, **more) -> dict:
    return dict(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=neurons,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_VALUE_HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        **more,
    )


def families() -> list[Family]:
    gemma = dict(_sizes(32, 64, 3, head_dim=16, query_pre_attn_scalar=16, sliding_window=8), tie_word_embeddings=True)
    experts = dict(num_experts_per_tok=2, experts_implementation="eager")
    return [
        Family(
            "llama",
            MODEL_ARCH.LLAMA,
            transformers.LlamaConfig(**_sizes(64, 96, 2)),
            head_size=16,
            interleaved_rotation=True,
        ),
        Family("qwen2", MODEL_ARCH.QWEN2, transformers.Qwen2Config(**_sizes(32, 64, 3)), head_size=8),
        Family("qwen3", MODEL_ARCH.QWEN3, transformers.Qwen3Config(**_sizes(32, 64, 3, head_dim=16)), head_size=16),
        Family(
            "gemma2",
            MODEL_ARCH.GEMMA2,
            transformers.Gemma2Config(**gemma, attn_logit_softcapping=5.0, final_logit_softcapping=6.0),
            head_size=16,
            embedding_scale=0.3,
            attention_gain=1.6,
            metadata={"attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0, "sliding_window": 8},
        ),
        Family(
            "gemma3",
            MODEL_ARCH.GEMMA3,
            transformers.Gemma3TextConfig(**gemma, sliding_window_pattern=3),
            head_size=16,
            embedding_scale=0.3,
            metadata={"sliding_window": 8, "sliding_window_pattern": 3, "rope_freq_base": 1e6},
        ),
        Family(
            "phi3",
            MODEL_ARCH.PHI3,
            transformers.Phi3Config(**_sizes(32, 64, 3, original_max_position_embeddings=CONTEXT, sliding_window=None)),
            head_size=8,
            metadata={"sliding_window": 0, "rope_scaling_orig_ctx_len": CONTEXT},
        ),
        Family(
            "gpt2",
            MODEL_ARCH.GPT2,
            transformers.GPT2Config(
                vocab_size=VOCABULARY,
                n_embd=32,
                n_layer=3,
                n_head=HEADS,
                n_positions=CONTEXT,
                n_inner=64,
                bos_token_id=1,
                eos_token_id=2,
            ),
            head_size=8,
            embedding_scale=0.4,
        ),
        Family(
            "qwen3moe",
            MODEL_ARCH.QWEN3MOE,
            transformers.Qwen3MoeConfig(
                **_sizes(32, 64, 2, head_dim=16), **experts, num_experts=8, moe_intermediate_size=32, norm_topk_prob=True
            ),
            head_size=16,
            metadata={"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 32},
        ),
        Family(
            "mixtral",
            MODEL_ARCH.LLAMA,
            transformers.MixtralConfig(**_sizes(32, 32, 2), **experts, num_local_experts=8),
            head_size=8,
            interleaved_rotation=True,
            metadata={"expert_count": 8, "expert_used_count": 2},
        ),
    ]


def make_model(family: Family, seed: int) -> torch.nn.Module:
    """fp32, frozen, with weights under which attention is moderately peaked and no activation saturates."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(family.config, dtype=torch.float32)
    model.eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(_initial(family, name, weight))
            weight.requires_grad_(False)
    return model


def _initial(family: Family, name: str, weight: torch.Tensor) -> torch.Tensor:
    noise = torch.randn_like(weight)
    if "embed_tokens" in name or "wte" in name or "wpe" in name:
        return family.embedding_scale * noise
    if name.endswith("bias"):
        return 0.2 * noise
    if weight.dim() == 1:
        # Gemma's norms multiply by 1 + weight.
        return 0.1 * noise + (0 if family.name.startswith("gemma") else 1)
    # GPT-2 keeps its matrices as [inputs, outputs], the others as [outputs, inputs].
    inputs = weight.shape[0] if family.name == "gpt2" else weight.shape[-1]
    gain = 1.0
    if any(part in name for part in ("q_proj", "k_proj", "qkv_proj", "c_attn")):
        gain = family.attention_gain
    elif "lm_head" in name or "mlp.gate.weight" in name:
        gain = 1.5
    return gain * noise / inputs**0.5


def write_metadata(writer: GGUFWriter, family: Family) -> None:
    config = family.config
    writer.add_string("tokenizer.ggml.model", "no_vocab")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.n_inner if family.name == "gpt2" else config.intermediate_size)
    writer.add_head_count(HEADS)
    if family.name == "gpt2":
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_head_count_kv(KEY_VALUE_HEADS)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_key_length(family.head_size)
        writer.add_value_length(family.head_size)
        writer.add_rope_dimension_count(family.head_size)
        if "rope_freq_base" not in family.metadata:
            writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    for key, value in family.metadata.items():
        getattr(writer, f"add_{key}")(value)
