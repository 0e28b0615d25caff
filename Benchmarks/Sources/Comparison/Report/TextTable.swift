/// A table for people: the first column to the left, the others to the right.
package struct TextTable {
  private var rows: [[String]]

  package init(_ header: [String]) {
    rows = [header]
  }

  package mutating func append(_ row: [String]) {
    precondition(row.count == rows[0].count, "a row has as many cells as the header")
    rows.append(row)
  }

  /// The lines, each ended by a newline.
  package var text: String {
    let widths = rows[0].indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let blanks = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + blanks : blanks + cell.0
      }
      let line = cells.joined(separator: "  ")
      return line.prefix(line.count - line.reversed().prefix { $0 == " " }.count) + "\n"
    }.joined()
  }
}
