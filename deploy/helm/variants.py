"""Objects that a component changes: one template with the lines of both forms, of which a value chooses one."""

from difflib import SequenceMatcher

from deploy.helm.sources import Manifest, key_of
from deploy.helm.templates import one


def template_of_both(without: list[Manifest], changed: list[Manifest], value: str) -> str:
    """The text of a template with the objects of `changed` if `value` is true, else with those of `without`.

    `changed` has every object of `without`, perhaps in another form.
    """
    texts = {key_of(manifest): one(manifest) for manifest in without}
    parts = []
    for manifest in changed:
        text = "---\n" + one(manifest)
        former = texts.pop(key_of(manifest), None)
        parts.append(
            f"{{{{- if {value} }}}}\n{text}{{{{- end }}}}\n" if former is None else merged("---\n" + former, text, value)
        )
    if texts:
        raise ValueError(f"the component removes objects: {sorted(texts)}")
    return "".join(parts)


def merged(former: str, text: str, value: str) -> str:
    """The lines that both texts have, and between them those that only one of them has, with a condition."""
    lines = former.splitlines(keepends=True), text.splitlines(keepends=True)
    parts = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, *lines, autojunk=False).get_opcodes():
        only_former, only_new = "".join(lines[0][start:end]), "".join(lines[1][new_start:new_end])
        if tag == "equal":
            parts.append(only_new)
        elif not only_new:
            parts.append(f"{{{{- if not {value} }}}}\n{only_former}{{{{- end }}}}\n")
        else:
            otherwise = f"{{{{- else }}}}\n{only_former}" if only_former else ""
            parts.append(f"{{{{- if {value} }}}}\n{only_new}{otherwise}{{{{- end }}}}\n")
    return "".join(parts)
