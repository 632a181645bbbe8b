#!/usr/bin/env python3
"""Makes the hundred invented tickets of FormTests: tickets.csv, and from it tickets.xlsx, report.xlsx and tickets.xls.

The files are checked in; run this only to change them. Needs openpyxl and xlwt from PyPI. Nobody in it exists.
"""
import csv
import datetime
import random

import openpyxl
import xlwt

random.seed(44192)
HEADER = ["工单编号", "来电时间", "诉求类型", "诉求标题", "诉求内容", "经度", "承办单位", "办结时间", "序数"]
TITLES = ["路灯不亮", "供水停了", "噪声扰民", "如何转移社保", "感谢环卫工人", "㐀街与𠮷路口积水", "井盖 & <栏杆>"]
TEXTS = ["已经三天了。", "第一行\n第二行", '他说"明天来"', "a;b|c\td,e", "", "=1+1 不是公式", "_x000D_ 与 _ 都是字"]
rows = []
for number in range(1, 101):
    opened = datetime.datetime(2024, 1, 5, 9) + datetime.timedelta(seconds=random.randrange(20_000_000))
    closed = opened + datetime.timedelta(seconds=random.randrange(500_000)) if number % 3 else None
    rows.append([
        f"0{number:05d}", opened, random.choice(["咨询", "投诉", "建议"]), random.choice(TITLES), random.choice(TEXTS),
        round(116.9 + random.random(), 6) if number % 4 else None, random.choice(["城管局", "水务局", None]), closed, number,
    ])


def text(value):
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime.datetime) else str(value)


with open("tickets.csv", "w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([text(value) for value in row] for row in rows)

SECONDS = "yyyy-mm-dd hh:mm:ss"
CHINESE = 'yyyy"年"m"月"d"日" h:mm:ss'


def fill(sheet, first):
    for column, name in enumerate(HEADER, 1):
        sheet.cell(first, column, name)
    for index, row in enumerate(rows):
        for column, value in enumerate(row, 1):
            if value is None:
                continue
            # Excel itself writes this text in this way, so that it is no escape.
            value = value.replace("_x000D_", "_x005F_x000D_") if isinstance(value, str) else value
            cell = sheet.cell(first + 1 + index, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
            elif isinstance(value, datetime.datetime):
                cell.number_format = CHINESE if index % 2 else SECONDS


book = openpyxl.Workbook()
book.active.title = "工单"
fill(book.active, 1)
book.create_sheet("说明").append(["没有工单"])
book.save("tickets.xlsx")

# As a hotline's reports are: a hidden sheet first, a title over the whole table, a date of printing, a line of totals.
book = openpyxl.Workbook()
book.active.title = "代码"
book.active.append(["代码", "名称"])
book.active.append(["01", "电话"])
book.active.sheet_state = "hidden"
sheet = book.create_sheet("1月 & 2月")
sheet["A1"] = "12345热线工单明细表"
sheet.merge_cells("A1:I1")
sheet["A2"] = "打印时间"
sheet["B2"] = datetime.date(2024, 9, 1)
fill(sheet, 4)
sheet.cell(106, 1, "合计")
sheet.cell(106, 2, 100)
book.save("report.xlsx")

book = xlwt.Workbook(encoding="utf-8")
hidden = book.add_sheet("代码")
hidden.visibility = 1
hidden.write(0, 0, "代码")
sheet = book.add_sheet("工单")
styles = [xlwt.easyxf(num_format_str=code) for code in (SECONDS, CHINESE)]
for column, name in enumerate(HEADER):
    sheet.write(0, column, name)
for index, row in enumerate(rows):
    for column, value in enumerate(row):
        if isinstance(value, datetime.datetime):
            sheet.write(index + 1, column, value, styles[index % 2])
        elif value is not None and value != "":
            sheet.write(index + 1, column, value)
book.active_sheet = 1
book.save("tickets.xls")
