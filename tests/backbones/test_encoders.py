import torch

from headstart.backbones.encoders import WordVectors, masked_mean


def test_the_masked_mean_sees_real_tokens_only():
    hidden = torch.randn(3, 5, 2)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    hidden[1, 2:] = torch.nan
    found = masked_mean(hidden, mask)
    torch.testing.assert_close(found[0], hidden[0].mean(0))
    torch.testing.assert_close(found[1], hidden[1, :2].mean(0))
    assert found[2].tolist() == [0.0, 0.0]


def test_word_vectors_are_averaged():
    words = WordVectors(4, 3)
    found = words(torch.tensor([[1, 2, 0], [3, 0, 0]]), torch.tensor([[1, 1, 0], [1, 0, 0]]))
    vectors = words.embedding.weight
    torch.testing.assert_close(found, torch.stack([(vectors[1] + vectors[2]) / 2, vectors[3]]))
    assert words(torch.zeros(2, 0, dtype=torch.int64), torch.zeros(2, 0, dtype=torch.int64)).tolist() == [[0.0] * 3] * 2
