"""Networks in the formats that pretrained ones come in, made here of random weights."""

import numpy as np
import pytest

from .gguf_writer import GgufWriter

LAYERS, WIDTH, HEADS, KEY_HEADS, INNER, WORDS = 2, 32, 4, 2, 64, 96


@pytest.fixture(scope="session")
def smollm2_writer():
    """A random language model, its weights as those of the real one are: Q8_0, Q4_1 and F32."""
    writer, rng = GgufWriter(), np.random.default_rng(7)
    for name, value in (
        ("block_count", LAYERS),
        ("embedding_length", WIDTH),
        ("attention.head_count", HEADS),
        ("attention.head_count_kv", KEY_HEADS),
        ("feed_forward_length", INNER),
    ):
        writer.field(f"llama.{name}", ("I", 4), value)
    writer.field("llama.rope.freq_base", ("f", 6), 100000.0)
    writer.field("llama.attention.layer_norm_rms_epsilon", ("f", 6), 1e-5)
    writer.field("tokenizer.ggml.tokens", "strings", [f"w{n}" for n in range(WORDS)])
    writer.bytes_of("token_embd.weight", (WORDS, WIDTH), rng)
    head = WIDTH // HEADS
    for layer in range(LAYERS):
        name = f"blk.{layer}.{{}}.weight".format
        writer.floats(name("attn_norm"), rng.uniform(0.5, 1.5, WIDTH))
        writer.floats(name("ffn_norm"), rng.uniform(0.5, 1.5, WIDTH))
        for part, shape in (
            ("attn_q", (WIDTH, WIDTH)),
            ("attn_k", (KEY_HEADS * head, WIDTH)),
            ("attn_v", (KEY_HEADS * head, WIDTH)),
            ("attn_output", (WIDTH, WIDTH)),
            ("ffn_gate", (INNER, WIDTH)),
            ("ffn_up", (INNER, WIDTH)),
            ("ffn_down", (WIDTH, INNER)),
        ):
            writer.nibbles(name(part), shape, rng)
    writer.floats("output_norm.weight", rng.uniform(0.5, 1.5, WIDTH))
    return writer
