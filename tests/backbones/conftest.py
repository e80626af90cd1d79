"""Tiny models with random weights, written to folders in the formats of the hubs by the hubs' own libraries."""

import json

import pytest
import torch
from hub_folders import SMALL, VOCABULARY, write_model, write_tokenizer


@pytest.fixture
def edit():
    """Change keys of a JSON file; None removes one."""

    def change(path, **changes):
        content = {key: value for key, value in json.loads(path.read_text()).items() if key not in changes}
        path.write_text(json.dumps(content | {key: value for key, value in changes.items() if value is not None}))

    return change


@pytest.fixture
def bert(tmp_path):
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=len(VOCABULARY), max_position_embeddings=40, **SMALL)
    write_tokenizer(tmp_path)
    return write_model(tmp_path, BertModel(config), tokenizer_config={"pad_token": "[PAD]", "model_max_length": 24})


@pytest.fixture
def gpt2(tmp_path):
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(
        vocab_size=len(VOCABULARY), n_embd=32, n_layer=2, n_head=4, n_positions=30, bos_token_id=2, eos_token_id=3
    )
    write_tokenizer(tmp_path, special=False)
    return write_model(tmp_path, GPT2Model(config))


@pytest.fixture
def vit(tmp_path):
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    return write_model(tmp_path, ViTModel(ViTConfig(image_size=32, patch_size=8, **SMALL)))


@pytest.fixture
def timm_folder(tmp_path):
    import timm

    torch.manual_seed(0)
    model = timm.create_model("test_resnet", num_classes=7)
    timm.models.save_for_hf(model, tmp_path, model_config={"num_classes": 7}, safe_serialization=True)
    return tmp_path
