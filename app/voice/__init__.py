"""Voice: from a microphone or a recording to text.

Dictation into whatever has a cursor::

    dictation = Dictation(Microphone(device), transcriber, before=lambda: text_before_the_cursor(), language="en")
    async with aclosing(dictation.events()) as events:
        async for event in events:
            match event:
                case Level(rms, speaking): meter.show(rms)
                case Partial(text, settled): preview.show(text)      # beside the cursor, not in the text
                case Final(heard, edits): preview.clear(); apply_at_cursor(edits)
                case Stopped(reason, error): ...                     # error.title, error.message, error.remedy

``dictation.stop()`` ends it after what was said is written; closing the generator ends it at once.
"""
