"""Sketches: what they keep of vectors, and that the best of them are found."""

from __future__ import annotations

import threading

import numpy
import pytest

from app.memory import signs
from app.memory.embedding import Matrix


def unit(rows: int, dimensions: int, seed: int = 0) -> Matrix:
    found: Matrix = numpy.random.default_rng(seed).standard_normal((rows, dimensions)).astype(numpy.float32)
    found /= numpy.linalg.norm(found, axis=1, keepdims=True)
    return found


@pytest.mark.parametrize("dimensions", [8, 24, 384, 1024])
def test_those_whose_signs_fit_best_are_found_in_their_order(dimensions: int) -> None:
    vectors, question = unit(700, dimensions), unit(1, dimensions, seed=1)[0]
    sketches = signs.sketch_of(vectors)
    index = signs.index_of(sketches[:300])
    signs.add(index, sketches[300:])
    fit = numpy.where(vectors > 0, 1, -1) @ question
    found = signs.nearest(index, question, 50)
    assert len(found) == len(set(found.tolist())) == 50
    # The look-up tables are of 8 bits: what is all but equal may change places.
    assert numpy.allclose(fit[found], numpy.sort(fit)[::-1][:50], atol=0.02 * numpy.abs(question).sum())


def test_dimensions_that_fill_no_byte_are_searched_too() -> None:
    vectors = unit(50, 30)
    index = signs.index_of(signs.sketch_of(vectors))
    assert signs.nearest(index, vectors[7], 3)[0] == 7


@pytest.mark.parametrize("rows", [1, 5, 31, 33, 700])
def test_all_are_found_where_there_are_no_more_than_asked_for(rows: int) -> None:
    vectors = unit(rows, 384)
    index = signs.index_of(signs.sketch_of(vectors))
    assert set(signs.nearest(index, vectors[0], 1000).tolist()) == set(range(rows))


def test_it_takes_no_other_core_in_whichever_thread_it_searches() -> None:
    import faiss

    index = signs.index_of(signs.sketch_of(unit(100, 384)))
    used: list[int] = []

    def search() -> None:
        signs.nearest(index, unit(1, 384)[0], 10)
        used.append(faiss.omp_get_max_threads())

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert used == [1]
