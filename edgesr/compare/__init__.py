"""Several networks on one photograph, side by side, for people who choose between them.

crop.py                      which part of the photograph is looked at
networks.py                   which networks, each at which scale
panels.py                    the part through every network
lettering.py, sheet.py       a labelled sheet as one picture (pure)
page.py, page.html           one HTML page with everything in it (pure)
render.py                    sheet or page as the content of a file
"""
