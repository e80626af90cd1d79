"""Models of sounds in transformers' format, with tiny random weights: as transformers' own extractor and model."""

import json

import numpy as np
import pytest
import torch
from sounds import clip, features
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapTextConfig,
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

from headstart.backbones.load import load, rebuild
from headstart.errors import BackboneError
from headstart.tasks import AUDIO

WAVES = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16, 16, 24),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (5, 8, 4),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "num_feat_extract_layers": 3,
}
FAMILIES = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model, {}),
    "wav2vec2-large": (Wav2Vec2Config, Wav2Vec2Model, {"feat_extract_norm": "layer", "do_stable_layer_norm": True}),
    "hubert": (HubertConfig, HubertModel, {}),
    "wavlm": (WavLMConfig, WavLMModel, {}),
}


def saved(model, extractor, folder):
    for weights in model.parameters():  # as trained ones are: no two alike, norms included
        torch.nn.init.normal_(weights, std=0.2)
    model.eval().save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


def alone_and_together(backbone, short, long):
    alone = features(backbone.module, short)
    np.testing.assert_allclose(
        features(backbone.module, short, long)[:1], alone, rtol=1e-3, atol=1e-4 * abs(alone).max()
    )
    return alone[0]


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # WavLM's own masks, in transformers
@pytest.mark.parametrize("family", FAMILIES)
def test_models_of_waves(family, tmp_path):
    config, kind, options = FAMILIES[family]
    torch.manual_seed(0)
    model, extractor = kind(config(**WAVES, **options)), Wav2Vec2FeatureExtractor()
    backbone = load(f"hf:{saved(model, extractor, tmp_path)}")
    wave = clip(0.7)
    with torch.inference_mode():
        inputs = extractor(wave, sampling_rate=16000, return_tensors="pt")
        expected = model(inputs.input_values).last_hidden_state[0].mean(0).numpy()
    found = alone_and_together(backbone, wave, clip(1.1, seed=1))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert backbone.modality == AUDIO
    assert backbone.dim == 24
    assert backbone.preprocess.rate == 16000
    assert [name for name, _ in backbone.stages][1:] == [f"model.encoder.layers.{place}" for place in range(3)]


def test_a_model_that_takes_waves_as_they_are(tmp_path):
    model, extractor = Wav2Vec2Model(Wav2Vec2Config(**WAVES)), Wav2Vec2FeatureExtractor(do_normalize=False)
    backbone = load(f"hf:{saved(model, extractor, tmp_path)}")
    wave = clip(0.5)
    with torch.inference_mode():
        expected = model(torch.from_numpy(wave)[None]).last_hidden_state[0].mean(0).numpy()
    np.testing.assert_allclose(features(backbone.module, wave)[0], expected, rtol=1e-3, atol=1e-4)


def test_a_layer_of_a_model_of_waves(tmp_path):
    model, extractor = Wav2Vec2Model(Wav2Vec2Config(**WAVES)), Wav2Vec2FeatureExtractor()
    folder = saved(model, extractor, tmp_path)
    wave, longer = clip(0.6), clip(0.9, seed=1)
    with torch.inference_mode():
        inputs = extractor(wave, sampling_rate=16000, return_tensors="pt")
        states = model(inputs.input_values, output_hidden_states=True).hidden_states[2][0]
    found = alone_and_together(load(f"hf:{folder}@2"), wave, longer)
    np.testing.assert_allclose(found, states.mean(0).numpy(), rtol=1e-3, atol=1e-4)
    largest = alone_and_together(load(f"hf:{folder}@2@max"), wave, longer)
    np.testing.assert_allclose(largest, states.amax(0).numpy(), rtol=1e-3, atol=1e-4)


AST = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_mel_bins": 32,
    "max_length": 64,
}


@pytest.mark.parametrize("seconds", [0.4, 1.0])  # shorter than the picture, and longer
def test_ast(seconds, tmp_path):
    model = ASTModel(ASTConfig(**AST))
    extractor = ASTFeatureExtractor(num_mel_bins=32, max_length=64, mean=-3.0, std=4.0)
    backbone = load(f"hf:{saved(model, extractor, tmp_path)}")
    wave = clip(seconds)
    with torch.inference_mode():
        inputs = extractor(wave, sampling_rate=16000, return_tensors="pt")
        expected = model(inputs.input_values).pooler_output[0].numpy()
    found = alone_and_together(backbone, wave, clip(1.2, seed=1))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


CLAP = {
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1],
    "num_attention_heads": [2, 2],
    "num_hidden_layers": 2,
    "hidden_size": 16,
    "window_size": 4,
    "spec_size": 64,
    "num_mel_bins": 16,
}


@pytest.mark.parametrize("fusion", [False, True])
@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
def test_clap(fusion, padding, tmp_path):
    audio = ClapAudioConfig(**CLAP, enable_fusion=fusion)
    text = ClapTextConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    model = ClapModel(ClapConfig(text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=8))
    truncation = "fusion" if fusion else "rand_trunc"
    extractor = ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation=truncation, padding=padding)
    backbone = load(f"hf:{saved(model, extractor, tmp_path)}")
    assert backbone.preprocess.rate == 48000
    wave = clip(0.6, rate=48000)
    with torch.inference_mode():
        inputs = extractor(wave, sampling_rate=48000, return_tensors="pt")
        inputs["is_longer"] = torch.tensor([[False]])  # where no clip is longer it says so of one at random
        expected = model.audio_model(**inputs).pooler_output[0].numpy()
    found = alone_and_together(backbone, wave, clip(1.5, 1, 48000))
    np.testing.assert_allclose(found, expected.ravel(), rtol=2e-3, atol=2e-3)
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    np.testing.assert_array_equal(features(again.module, wave), features(backbone.module, wave))


WHISPER = {
    "d_model": 32,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 32,
    "vocab_size": 50,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}


def test_whisper(tmp_path):
    model, extractor = WhisperModel(WhisperConfig(**WHISPER)), WhisperFeatureExtractor()
    backbone = load(f"hf:{saved(model, extractor, tmp_path)}")
    wave = clip(0.5)
    with torch.inference_mode():
        inputs = extractor(wave, sampling_rate=16000, return_tensors="pt")
        states = model.encoder(inputs.input_features).last_hidden_state[0]
    found = alone_and_together(backbone, wave, clip(0.8, seed=1))
    np.testing.assert_allclose(found, states[:25].mean(0).numpy(), rtol=2e-3, atol=2e-3)  # 25 = 8000 / 320


def test_rebuilt_from_what_is_stored(tmp_path):
    backbone = load(f"hf:{saved(HubertModel(HubertConfig(**WAVES)), Wav2Vec2FeatureExtractor(), tmp_path)}")
    spec = json.loads(json.dumps(backbone.spec))
    again = rebuild(spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    np.testing.assert_array_equal(features(again.module, clip(0.5)), features(backbone.module, clip(0.5)))


def test_a_setting_of_the_front_end_that_cannot_be(tmp_path):
    folder = saved(ASTModel(ASTConfig(**AST)), ASTFeatureExtractor(num_mel_bins=32, max_length=64), tmp_path)
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "mean": "low"}))
    with pytest.raises(BackboneError, match="mean = 'low'; expected something like"):
        load(f"hf:{folder}")


def test_whisper_with_another_front_end(tmp_path):
    folder = saved(WhisperModel(WhisperConfig(**WHISPER)), WhisperFeatureExtractor(n_fft=512), tmp_path)
    with pytest.raises(BackboneError, match="'n_fft': 512"):
        load(f"hf:{folder}")


def test_weights_that_lack_a_layer(tmp_path):
    folder = saved(Wav2Vec2Model(Wav2Vec2Config(**WAVES)), Wav2Vec2FeatureExtractor(), tmp_path)
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "num_hidden_layers": 4}))
    with pytest.raises(BackboneError, match=r"lack encoder\.layers\.3"):
        load(f"hf:{folder}")
