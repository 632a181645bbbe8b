import FederationModel
import Testing

@Suite struct `The built-in resources` {
    private let resources = BuiltInResources.all

    @Test func `have names that occur once and are SQL identifiers`() {
        #expect(Set(resources.map(\.name)).count == resources.count)
        for resource in resources {
            #expect(resource.name.text.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(resource.name)")
            #expect(Set(resource.columns.map(\.name)).count == resource.columns.count, "\(resource.name)")
            for column in resource.columns {
                #expect(column.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(resource.name).\(column.name)")
            }
        }
    }

    /// A node adds these to each of its tables, and a change-set has the first four before a resource's columns.
    @Test func `leave the names of the envelope alone`() {
        let envelope = Set(
            ["id", "origin", "key", "version", "deleted", "seq", "supplier", "n", "movement", "carried"]
                + GrantFilter.foldedColumns)
        for resource in resources {
            #expect(envelope.isDisjoint(with: resource.columns.map(\.name)), "\(resource.name)")
        }
        let tables: Set<ResourceName> = [
            "node", "link_cursor", "link_status", "origin_freshness", "quarantine", "consumer", "ticket_state",
        ]
        #expect(tables.isDisjoint(with: resources.map(\.name)))
    }

    @Test func `are found by name`() {
        for resource in resources { #expect(BuiltInResources.named(resource.name) == resource) }
        #expect(BuiltInResources.named("no_such_resource") == nil)
    }

    @Test func `have Chinese titles`() {
        for resource in resources {
            #expect(!resource.title.isEmpty, "\(resource.name)")
            for column in resource.columns { #expect(!column.title.isEmpty, "\(resource.name).\(column.name)") }
        }
    }

    @Test func `stand for each of the eight stages once`() {
        #expect(resources.compactMap(\.stage).sorted() == Stage.allCases)
        #expect(Stage.allCases.map(\.title) == ["受理", "派单", "办理", "答复", "督办", "办结", "回访", "评价"])
    }

    @Test func `use code lists that exist, in columns of text`() {
        for resource in resources {
            for column in resource.columns {
                guard let list = column.codeList else { continue }
                #expect(CodeList.named(list) != nil, "\(resource.name).\(column.name): \(list)")
                #expect(column.type == .text, "\(resource.name).\(column.name)")
            }
        }
        let used = Set(resources.flatMap(\.columns).compactMap(\.codeList))
        #expect(used == Set(CodeList.all.map(\.name)), "every code list has a column")
    }

    @Test func `index columns that they have`() {
        for resource in resources {
            for index in resource.indexes {
                #expect(!index.isEmpty)
                for column in index { #expect(resource.column(named: column) != nil, "\(resource.name): \(column)") }
            }
        }
    }

    @Test func `name their ticket, its origin and the time in every record of a thread`() {
        for resource in resources where resource.isThreadRecord {
            for (name, type) in [("global_id", ColumnType.text), ("ticket_origin", .text), ("occurred_at", .timestamp)]
            {
                let column = resource.column(named: name)
                #expect(column?.type == type && column?.isRequired == true, "\(resource.name).\(name)")
            }
            #expect(resource.indexes.contains(["global_id"]), "\(resource.name)")
        }
        #expect(resources.filter(\.isThreadRecord).count == 15)
        #expect(
            BuiltInResources.ticketResources.map(\.name)
                == resources.map(\.name).prefix { $0 != "call_record" }
        )
    }

    /// Clause 8: what names a person, or may hold anything, is never below its level.
    @Test func `keep personal data at their level`() {
        for resource in resources {
            for column in resource.columns {
                let name = "\(resource.name).\(column.name)"
                // What a data set may hold is at its own columns' levels, none of which is higher.
                if column.type == .json, name != "external_record.fields" {
                    #expect(column.level == .sensitive, "\(name)")
                }
                if ["reporter_name", "reporter_phone", "caller", "address_string", "lat", "long"].contains(column.name)
                {
                    #expect(column.level >= .personal, "\(name)")
                }
                #expect(column.codeList == nil || column.level <= .inner, "\(name)")
            }
        }
    }

    @Test func `have the columns that the fold reads`() {
        for (resource, columns) in TicketFold.columns {
            let definition = BuiltInResources.named(resource)
            for column in columns {
                #expect(definition?.column(named: column.rawValue) != nil, "\(resource).\(column)")
            }
        }
        #expect(
            Set(TicketFold.columns.keys)
                == Set(BuiltInResources.ticketResources.map(\.name)).subtracting(["attachment"]))
    }

    /// A row at its longest must fit into a change-set, and a change-set holds fewer columns than the reader takes.
    @Test func `stay within what a change-set carries`() {
        for resource in resources {
            #expect(resource.columns.reduce(0) { $0 + $1.bytesMax } < 1 << 20, "\(resource.name)")
            #expect(resource.columns.count <= 60, "\(resource.name)")
        }
    }
}

@Suite struct `The code lists` {
    @Test func `have codes that occur once, with both names`() {
        #expect(Set(CodeList.all.map(\.name)).count == CodeList.all.count)
        for list in CodeList.all {
            #expect(Set(list.entries.map(\.code)).count == list.entries.count, "\(list.name)")
            #expect(Set(list.entries.map(\.title)).count == list.entries.count, "\(list.name)")
            for entry in list.entries {
                #expect(!entry.title.isEmpty && !entry.english.isEmpty, "\(list.name) \(entry.code)")
                #expect(entry.code.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil, "\(list.name) \(entry.code)")
                #expect(list.contains(entry.code) && list.title(of: entry.code) == entry.title)
            }
            #expect(!list.contains("no_such_code") && list.title(of: "no_such_code") == nil)
        }
    }
}

@Suite struct `A value of a column` {
    private let text = ColumnDefinition("a", "甲", level: .open, required: true, bytesMax: 6)
    private let flag = ColumnDefinition("b", "乙", .boolean, level: .open)
    private let code = ColumnDefinition("c", "丙", level: .open, codeList: "score", bytesMax: 32)
    private let real = ColumnDefinition("d", "丁", .real, level: .open)

    @Test func `is checked by type, length, text and code list`() {
        #expect(text.violation(of: .null)?.code == RowRejection.Rule.missing.rawValue)
        #expect(text.violation(of: .text(""))?.code == RowRejection.Rule.missing.rawValue)
        #expect(text.violation(of: .text("济南")) == nil)
        #expect(text.violation(of: .text("济南x"))?.code == RowRejection.Rule.tooLong.rawValue)
        #expect(text.violation(of: .text("a\u{0}b"))?.code == RowRejection.Rule.badText.rawValue)
        #expect(text.violation(of: .integer(1))?.code == RowRejection.Rule.type.rawValue)
        #expect(flag.violation(of: .null) == nil)
        #expect(flag.violation(of: .integer(1)) == nil)
        #expect(flag.violation(of: .integer(2))?.code == RowRejection.Rule.type.rawValue)
        #expect(flag.violation(of: .real(1))?.code == RowRejection.Rule.type.rawValue)
        #expect(code.violation(of: .text("5")) == nil)
        #expect(code.violation(of: .text("6"))?.code == RowRejection.Rule.notInCodeList.rawValue)
        #expect(real.violation(of: .real(1.5)) == nil)
        #expect(real.violation(of: .integer(1))?.code == RowRejection.Rule.type.rawValue)
    }

    @Test func `is never repeated in what is said of it`() {
        for value in ["110101199003077777", "13800000000\u{0}", "xxxxxxxxxxxxxxxx"] {
            for column in [text, code] {
                let violation = column.violation(of: .text(value))
                #expect(violation?.description.contains(value) == false)
            }
        }
    }
}
