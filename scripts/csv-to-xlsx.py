#!/usr/bin/env python3
"""Writes a CSV file as a workbook with one sheet, as Excel does: texts shared by number, every row and cell with its place.

usage: scripts/csv-to-xlsx.py FILE.csv FILE.xlsx
"""
import csv
import sys
import xml.sax.saxutils
import zipfile

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def letters(column):
    text = ""
    while column >= 0:
        text = chr(65 + column % 26) + text
        column = column // 26 - 1
    return text


def relations(*targets):
    return f'<Relationships xmlns="{PACKAGE}">' + "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    ) + "</Relationships>"


texts = {}
source, target = sys.argv[1:]
with open(source, newline="", encoding="utf-8") as file, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
    book.writestr("_rels/.rels", relations(("officeDocument", "xl/workbook.xml")))
    book.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>')
    book.writestr("xl/_rels/workbook.xml.rels", relations(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")))
    with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
        sheet.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
        places = [letters(column) for column in range(1000)]
        for number, row in enumerate(csv.reader(file), 1):
            cells = "".join(
                f'<c r="{places[column]}{number}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'
                for column, text in enumerate(row) if text
            )
            sheet.write(f'<row r="{number}">{cells}</row>'.encode())
        sheet.write(b"</sheetData></worksheet>")
    with book.open("xl/sharedStrings.xml", "w", force_zip64=True) as shared:
        shared.write(f'<sst xmlns="{MAIN}">'.encode())
        for text in texts:
            shared.write(f'<si><t xml:space="preserve">{xml.sax.saxutils.escape(text)}</t></si>'.encode())
        shared.write(b"</sst>")
