"""Write the JPEG XL files of tests/data/pictures/ from photo.png, by cjxl of libjxl 0.7.

    apt install libjxl-tools && python tests/data/make_jxl.py

So they do not come from the library that reads them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
RARE = HERE / "pictures"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="photo" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def main() -> None:
    photo = Image.open(HERE / "photo.png").crop((20, 20, 84, 68))  # 64 x 48
    wide = imagecodecs.cms_profile(  # the primaries of Display P3
        "rgb", whitepoint=(0.3127, 0.3290, 1.0),
        primaries=(0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1), gamma=2.2,
    )  # fmt: skip
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    rgba = photo.copy()
    rgba.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.png"

        def write(name: str, image: Image.Image, *options: str, **metadata: object) -> None:
            image.save(source, **metadata)
            compress(source, name, *options)

        small = photo.crop((20, 20, 44, 36))
        write("exact.jxl", small, "-d", "0")
        write("alpha.jxl", rgba, "-d", "0.5")
        write("grey.jxl", small.convert("L"), "-d", "0")
        write("profile.jxl", photo, "-d", "0.5", icc_profile=wide)
        ppm = Path(folder) / "source.ppm"
        deep = np.asarray(photo).astype(">u2") * 257
        ppm.write_bytes(b"P6\n64 48\n65535\n" + deep.tobytes())
        compress(ppm, "deep.jxl", "-d", "0.5")
        deep = np.asarray(small).astype(">u2") * 257
        ppm.write_bytes(b"P6\n24 16\n65535\n" + deep.tobytes())
        compress(ppm, "ten_bits.jxl", "-d", "0", "--override_bitdepth=10")
        pfm = Path(folder) / "source.pfm"
        grey = np.asarray(small.convert("L"))[::-1].astype("<f4") / 255
        pfm.write_bytes(b"Pf\n24 16\n-1.0\n" + grey.tobytes())
        compress(pfm, "float.jxl", "-d", "0", "-x", "color_space=Gra_D65_Rel_SRG")
        jpeg = Path(folder) / "source.jpg"
        photo.save(jpeg, quality=92, exif=exif, icc_profile=wide, xmp=XMP)
        compress(jpeg, "turned.jxl")
        gif = Path(folder) / "source.gif"
        small.save(gif, save_all=True, append_images=[small.rotate(180)], duration=100)
        compress(gif, "animated.jxl")


def compress(source: Path, name: str, *options: str) -> None:
    subprocess.run(
        ["cjxl", source, RARE / name, "-e", "7", *options], check=True, stderr=sys.stderr
    )


if __name__ == "__main__":
    main()
