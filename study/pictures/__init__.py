"""Pictures for the documents, drawn from simulations and configurations, nothing by hand.

What is sent (:mod:`.traffic`), what the signals then are in each cycle (:mod:`.recording`), how
values look (:mod:`.traces`) and the drawing (:mod:`.wave_json`, :mod:`.svg`) know nothing of one
another; a :class:`.scene.Scene` joins them.
"""
