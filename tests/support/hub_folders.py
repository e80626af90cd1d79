"""What a folder in transformers' format has beside weights, for tiny models with random weights."""

import json

import torch
from tokenizers import Tokenizer

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "film", "was", "not", "good", "bad"]
VOCABULARY += ["very", "dull", "bright", "a", "story"]
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def write_tokenizer(folder, *, special=True):
    from tokenizers import models, pre_tokenizers, processors

    words = {word: index for index, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if special:
        marks = [("[CLS]", 2), ("[SEP]", 3)]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    tokenizer.save(str(folder / "tokenizer.json"))


def write_model(folder, model, **files):
    """A transformers folder, and small JSON files beside it: name (without suffix) -> content."""
    torch.manual_seed(0)
    model.save_pretrained(folder)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


SENTENCES = ["the film was not good", "very dull", "a bright story was told by the film"]


def encode(backbone, sentences):
    """Token ids (N, L) padded on the right, and the mask, as the features room makes them."""
    preprocess = backbone.preprocess
    tokenizer = Tokenizer.from_str(preprocess.tokenizer_json)
    tokenizer.enable_truncation(preprocess.max_length)
    tokenizer.enable_padding(pad_id=preprocess.pad_id)
    rows = tokenizer.encode_batch(sentences)
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


def features(backbone, sentences):
    with torch.inference_mode():
        return backbone.module(*encode(backbone, sentences))
