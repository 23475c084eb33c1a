"""The guided course in the terminal: fourteen steps from an empty cluster to a weakness that was found and mended.

``course`` says which steps there are, what the learner runs and how the outcome is checked; ``text`` has the words, one
file a language, so that a course in another language is one more file. ``session`` is the conversation. The room starts
no sandbox: whoever calls it hands over one that runs.
"""
