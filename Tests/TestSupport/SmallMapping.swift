/// A small mapping that is right; tests break one line of it.
package let smallMapping = """
    key: id
    time_formats: [yyyy-MM-dd HH:mm:ss]
    optional_columns: closed
    records:
      - resource: service_request
        fields:
          service_request_id: id
          requested_datetime: opened
          channel: {column: via, titles_of: channel, codes: {"tele*": "01"}, default: "19"}
          request_type: {value: "2"}
          title: {first_of: [title, text]}
          description: {join: [title, text], separator: "; "}
          urgency: {value: normal}
          acceptance: {value: accepted}
          reply_required: wants_reply
          lat: {column: lat, when: {column: located, in: [y]}}
        ext: [ward, id]
      - resource: assignment
        when: {column: unit, not_in: ["", none]}
        fields:
          occurred_at: opened
          assignee_unit: unit
          role: {value: main}
          limit_days: days
      - resource: closure
        when: closed
        fields:
          occurred_at: {column: closed, time_formats: [yyyy-MM-dd HH:mm:ss, yyyy/M/d], zone: UTC}
          closure_kind: {column: how, codes: {done: closed, "": closed}, otherwise: terminated, default: closed}
    """
