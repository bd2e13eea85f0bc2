"""Tiny language models: alone or beside others the same, causal, and equal to a plain transformer written out."""

import numpy as np
import pytest
import torch

from companion.neural.language import Recipe, Speakers, train

RECIPE = Recipe(width=8, layers=2, epochs=3, batch=4)


def texts(models=3, sentences=10, length=4, words=12):
    return np.random.default_rng(5).integers(words, size=(models, sentences, length))


def plain(weights, text, layers, heads):
    """Log-probabilities of the word after `text` (length,) from one model's weights, one head and place at a time."""

    def norm(x):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + np.finfo(np.float32).eps)

    x = weights["words"][text] + weights["places"][: len(text)]
    width = x.shape[1]
    for layer in range(layers):
        q, k, v = np.split(norm(x) @ weights[f"attend{layer}"], 3, axis=1)
        seen = np.zeros_like(x)
        for head in range(heads):
            of = slice(head * width // heads, (head + 1) * width // heads)
            for place in range(len(text)):
                score = k[: place + 1, of] @ q[place, of] / np.sqrt(width // heads)
                share = np.exp(score - score.max())
                seen[place, of] = share / share.sum() @ v[: place + 1, of]
        x = x + seen @ weights[f"return{layer}"]
        x = x + np.maximum(norm(x) @ weights[f"in{layer}"] + weights[f"bias{layer}"], 0) @ weights[f"out{layer}"]
    said = norm(x)[-1] @ weights["say"]
    return said - np.log(np.exp(said).sum())


def test_a_model_is_a_plain_transformer():
    speakers, prompts = train(texts(), 12, RECIPE, seed=1), texts()[0, :5, :3]
    said = speakers.next(prompts)
    for j in range(3):
        weights = {name: weight[j].double().numpy() for name, weight in speakers.weights.items()}
        expected = np.stack([plain(weights, prompt, RECIPE.layers, RECIPE.heads) for prompt in prompts])
        assert said[j] == pytest.approx(expected, abs=1e-4)


def test_a_model_is_the_same_alone_and_beside_others():
    together, alone = train(texts(), 12, RECIPE, seed=1), train(texts()[:1], 12, RECIPE, seed=1)
    prompts = texts()[0, :, :2]
    assert together.next(prompts)[:1] == pytest.approx(alone.next(prompts), abs=1e-3)
    other = train(texts(), 12, RECIPE, seed=2).next(prompts)
    assert np.abs(other - together.next(prompts)).max() > 0.1


def test_what_follows_a_sentences_end_is_neither_read_nor_predicted():
    """Sentences that end early train as if the text were shorter."""
    text = texts()
    ended = np.concatenate([text[..., :3], np.full((*text.shape[:2], 1), -1)], axis=2)
    short, padded = (train(t, 12, RECIPE, seed=1).weights for t in (text[..., :3], ended))
    begun = train(ended, 12, Recipe(width=8, layers=2, epochs=0), seed=1).weights
    assert torch.equal(padded["places"][:, 3], begun["places"][:, 3])  # the last place is never met
    assert short["places"].shape[1] == 3


def test_write_goes_on_with_its_own_words():
    speakers = train(texts(), 12, RECIPE, seed=1)
    prompts = texts()[0, :4, :1]
    both = speakers.write(prompts, 2)
    first = speakers.write(prompts)
    again = np.concatenate([np.broadcast_to(prompts, (3, 4, 1)), first], axis=2)
    assert np.array_equal(both[..., :1], first)
    assert np.array_equal(both[..., 1:], speakers.write(again))


def test_after_epoch_is_called_with_the_weights_of_the_moment():
    met = []
    speakers = train(
        texts(), 12, RECIPE, seed=1, after_epoch=lambda epoch, s: met.append((epoch, s.next(texts()[:, :, :1])))
    )
    assert [epoch for epoch, _ in met] == [1, 2, 3]
    assert np.array_equal(met[-1][1], speakers.next(texts()[:, :, :1]))
    assert not np.array_equal(met[0][1], met[-1][1])


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Recipe(width=9), ValueError, "width must be a multiple of heads, got 9 and 2"),
        (lambda: Recipe(lr=0), ValueError, "lr must be finite and greater than 0, got 0"),
        (lambda: train(np.zeros((2, 3), int), 4, RECIPE, seed=0), ValueError, "texts must have shape"),
        (lambda: train(np.full((1, 2, 3), 4), 4, RECIPE, seed=0), ValueError, r"texts must hold words in \[-1, 3\]"),
        (lambda: train(np.zeros((1, 2, 3)), 4, RECIPE, seed=0), TypeError, "texts must hold whole numbers"),
        (lambda: started().next(np.array([[-1]])), ValueError, r"prompts must hold words in \[0, 11\], got -1 to -1"),
        (lambda: started().next(np.zeros((2, 1, 1), int)), ValueError, r"prompts must have shape .* got \(2, 1, 1\)"),
        (lambda: started().write(np.array([[1]]), 0), ValueError, "words must be at least 1, got 0"),
    ],
)
def test_bad_calls_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def started() -> Speakers:
    return train(texts(), 12, Recipe(width=8, epochs=0), seed=1)
