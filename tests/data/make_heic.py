"""Write the HEIC files of tests/data/pictures/ from photo.png.

    pip install pillow-heif && python tests/data/make_heic.py

pi-heif, which reads them, has no encoder. pillow-heif brings x265 (GPL), so nothing here needs it.
"""

import io
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

HERE = Path(__file__).parent
RARE = HERE / "pictures"


def main() -> None:
    photo = Image.open(HERE / "photo.png").crop((20, 20, 84, 68))  # 64 x 48
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="photo" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    # Pillow's plug-in turns the pixels as the EXIF data says, and writes the box that undoes it.
    pillow_heif.register_heif_opener()
    photo.save(RARE / "turned.heic", quality=90, exif=exif, icc_profile=srgb, xmp=xmp)
    rgba = photo.copy()
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    rgba.putalpha(Image.fromarray(ramp))
    rgba.save(RARE / "alpha.heic", quality=90)
    photo.convert("L").save(RARE / "grey.heic", quality=90)
    deep = np.asarray(photo).astype(np.uint16) * 257
    file = io.BytesIO()
    image = pillow_heif.from_bytes("RGB;16", photo.size, deep.tobytes())
    image.save(file, quality=90)
    (RARE / "ten_bits.heic").write_bytes(file.getvalue())


if __name__ == "__main__":
    main()
