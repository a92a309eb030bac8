"""The form in which notebooks are committed: the same run gives the same bytes, so that a diff shows what changed.

Nothing of the machine, of the moment or of the editor stays in a file: cells are numbered, outputs that came in pieces
are joined, pictures lose what they say of the program that drew them, and keys are sorted, as nbformat writes them.
"""

import base64
import struct
from copy import deepcopy

import nbformat

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PNG = "image/png"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a picture says of its time and of its program.
_REMARKS = {b"iTXt", b"tEXt", b"tIME", b"zTXt"}


def canonical(notebook):
    """Gives a copy of the notebook in the form in which it is committed."""
    notebook = deepcopy(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    executed = 0
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02}"
        cell.metadata = nbformat.from_dict({})
        cell.source = cell.source.strip("\n")
        if cell.cell_type == "code":
            executed += 1
            cell.outputs = _joined([_output(output, executed) for output in cell.outputs])
            cell.execution_count = executed
    return notebook


def written(notebook):
    """Gives the text of the file."""
    return nbformat.writes(notebook) + "\n"


def picture(data):
    """Gives the bytes of a picture as notebooks hold it."""
    return base64.b64decode(data)


def _output(output, count):
    if "execution_count" in output:
        output.execution_count = count
    if "data" in output:
        output.metadata = nbformat.from_dict(_sizes(output.metadata))
        if PNG in output.data:
            output.data[PNG] = base64.b64encode(_without_remarks(picture(output.data[PNG]))).decode()
    return output


def _sizes(metadata):
    """Keeps of an output's metadata how large its picture is to be shown."""
    sizes = {key: metadata.get(PNG, {}).get(key) for key in ("height", "width")}
    sizes = {key: size for key, size in sizes.items() if size is not None}
    return {PNG: sizes} if sizes else {}


def _joined(outputs):
    """Joins what one stream got in pieces: how many depends on the moment."""
    joined = []
    for output in outputs:
        before = joined[-1] if joined else None
        if output.output_type == "stream" and before and before.get("name") == output.name:
            before.text += output.text
        else:
            joined.append(output)
    return joined


def _without_remarks(png):
    """Gives a PNG without its remarks; what is no PNG stays as it is."""
    if not png.startswith(_SIGNATURE):
        return png
    kept, at = [_SIGNATURE], len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        end = at + 12 + length
        if png[at + 4 : at + 8] not in _REMARKS:
            kept.append(png[at:end])
        at = end
    return b"".join(kept)
