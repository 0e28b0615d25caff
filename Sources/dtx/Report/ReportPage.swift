import DTXCore
import DTXEngine

/// A receipt as one page that needs nothing else: no script, no picture, no font of another place.
///
/// The same receipt gives the same bytes.
struct ReportPage {
  private let receipt: Receipt
  private var statement: ReceiptStatement { receipt.statement }

  init(_ receipt: Receipt) {
    self.receipt = receipt
  }

  /// The page's text.
  var html: String {
    Markup.page(
      [
        .void("meta", ["charset": "utf-8"]),
        .void(
          "meta",
          ["name": "viewport", "content": "width=device-width, initial-scale=1"]
        ),
        .element("title", [:], title),
        .style(ReportStyle.sheet),
      ],
      [.element("main", [:], [header, tiles] + sections)]
    )
  }

  private var title: String {
    let receiver = receipt.endorsement.map(\.receiver.host) ?? "an end that did not endorse it"
    return "\(Figure.bytes(statement.movedByteCount)) from \(statement.sender.host) to \(receiver)"
  }

  private var header: Markup {
    let from = statement.sender.paths.map(EventPrinter.shown).joined(separator: ", ")
    let to = receipt.endorsement?.receiver.paths.map(EventPrinter.shown).joined(separator: ", ")
    return .element(
      "header",
      [:],
      [
        .element("h1", [:], title),
        .element(
          "p",
          ["class": "quiet"],
          [from, to].compactMap { $0 }.joined(separator: " \u{2192} ")
        ),
        .element("p", ["class": "quiet"], "Began \(WallTime.text(statement.started))"),
      ]
    )
  }

  // MARK: - At a glance

  private var tiles: Markup {
    var tiles = [
      tile(
        Figure.bytes(statement.movedByteCount),
        "moved, of \(Figure.bytes(statement.byteCount)) in \(Figure.count(statement.fileCount, "file"))"
      ),
      tile(Figure.duration(statement.nanoseconds), "from beginning to end"),
    ]
    if let predicted = statement.predictedNanoseconds {
      tiles.append(tile(deviation(from: predicted), "predicted \(Figure.duration(predicted))"))
    }
    let figures = statement.lanes.compactMap(\.figures)
    if let worst = figures.map(\.mean).min() {
      let kept = figures.filter { $0.mean >= LaneConformance.kept }.count
      tiles.append(
        tile(
          "\(kept) of \(figures.count)",
          "lanes kept 98 % of their rate on average; the least \(ConformanceText.percent(worst))",
          kept == figures.count ? "good" : "bad"
        )
      )
    }
    if statement.missingCount > 0 {
      tiles.append(tile("\(Figure.grouped(statement.missingCount))", "entries are missing", "bad"))
    }
    tiles.append(signatures)
    return .element("div", ["class": "tiles"], tiles)
  }

  private func deviation(from predicted: UInt64) -> String {
    let isLate = statement.nanoseconds >= predicted
    let difference =
      isLate ? statement.nanoseconds - predicted : predicted - statement.nanoseconds
    let sign = isLate ? "+" : "\u{2212}"
    return "\(sign)\(Figure.tenths(difference, of: max(1, predicted)))"
  }

  private var signatures: Markup {
    let findings = [receipt.senderFinding, receipt.receiverFinding]
    if findings.contains(.broken) {
      return tile("Broken", "a signature does not hold: something was changed", "bad")
    }
    switch (findings[0] == .missing, findings[1] == .missing) {
    case (false, false): return tile("Signed", "by both ends, and both signatures hold", "good")
    case (false, true): return tile("Half signed", "by the sender alone", "bad")
    case (true, false): return tile("Half signed", "by the receiver alone", "bad")
    case (true, true): return tile("Not signed", "by either end", "bad")
    }
  }

  private func tile(_ figure: String, _ text: String, _ mood: String = "") -> Markup {
    .element(
      "div",
      ["class": mood.isEmpty ? "tile" : "tile \(mood)"],
      [.element("b", [:], figure), .element("span", [:], text)]
    )
  }

  // MARK: - Sections

  private var sections: [Markup] {
    var sections = [section("Progress", [progressKey, progress])]
    if !statement.lanes.isEmpty {
      sections.append(section("Lanes", [laneKey, lanes]))
      sections.append(section("Figures", [table]))
    }
    if statement.missingCount > 0 { sections.append(section("Missing", missing)) }
    sections.append(section("Identity", [identity]))
    return sections
  }

  private func section(_ title: String, _ content: [Markup]) -> Markup {
    .element("section", [:], [.element("h2", [:], title)] + content)
  }

  private var progress: Markup {
    .element(
      "figure",
      [:],
      [ProgressChart(statement).element("Bytes that were durable, over time, and as planned")]
    )
  }

  private var progressKey: Markup {
    var entries = [key("delivered", "durable at the receiver")]
    if statement.predictedNanoseconds != nil {
      let isRevised = statement.generation > 0
      entries.append(
        key(
          "reserved",
          isRevised ? "as first planned; dotted: the latest prediction" : "as planned"
        )
      )
    }
    return .element("ul", ["class": "key"], entries)
  }

  private var laneKey: Markup {
    var entries = [key("delivered", "delivered")]
    if statement.lanes.contains(where: { $0.lane.rate != nil }) {
      entries.append(key("reserved", "the lane\u{2019}s rate"))
    }
    entries += [
      key("disconnected", "idle: no connection"), key("application", "idle: nothing to send"),
      key("receive-window", "idle: the receiver takes no more"),
      key("send-buffer", "idle: the send buffer is full"),
    ]
    return .element("ul", ["class": "key"], entries)
  }

  private func key(_ name: String, _ text: String) -> Markup {
    .element("li", [:], [.element("i", ["class": name], []), .text(text)])
  }

  private var lanes: Markup {
    let end = statement.lanes.reduce(UInt64(1)) { longest, lane in
      max(longest, lane.intervals.reduce(0) { $0 &+ $1.nanoseconds })
    }
    let figures = statement.lanes.enumerated().map { index, lane in
      let name = name(of: lane, index)
      return Markup.element(
        "figure",
        [:],
        [
          .element("h3", [:], name),
          .element("figcaption", [:], caption(lane)),
          LaneChart(lane, until: end).element("\(name): delivered and reserved rate over time"),
        ]
      )
    }
    let style = statement.lanes.count > 4 ? "lanes many" : "lanes"
    return .element("div", ["class": style], figures)
  }

  private func name(of lane: LaneStatement, _ index: Int) -> String {
    lane.lane.name.isEmpty ? "Lane \(index)" : "Lane \(index), \(lane.lane.name)"
  }

  private func caption(_ lane: LaneStatement) -> String {
    var parts = [lane.lane.contract == .reserved ? "reserved" : "best-effort"]
    if let rate = lane.lane.rate { parts[0] += " \(Figure.rate(rate.bitsPerSecond)) on the wire" }
    if let figures = lane.figures {
      parts.append("kept \(ConformanceText.percent(figures.mean))")
      if figures.belowNanoseconds > 0 {
        parts.append("below 98 % for \(Figure.duration(figures.belowNanoseconds))")
      }
      if figures.mean < LaneConformance.kept, let cause = figures.idle.greatest {
        parts.append("held up most by \(cause.phrase)")
      }
    }
    let longest = lane.intervals.map(\.roundTripMicroseconds).max() ?? 0
    if longest > 0 { parts.append("round trip up to \(Figure.milliseconds(longest &* 1000))") }
    let again = lane.intervals.reduce(UInt64(0)) { $0 &+ $1.retransmittedByteCount }
    if again > 0 { parts.append("\(Figure.bytes(again)) sent again") }
    return parts.joined(separator: " \u{00B7} ")
  }

  private var missing: [Markup] {
    var rows = statement.missing.flatMap { entry in
      [
        Markup.element("dt", [:], EventPrinter.shown(entry.path)),
        .element("dd", [:], entry.reason),
      ]
    }
    let named = UInt64(statement.missing.count)
    if statement.missingCount > named {
      rows.append(.element("dt", [:], "and \(Figure.grouped(statement.missingCount - named)) more"))
    }
    return [.element("dl", [:], rows)]
  }

  private var identity: Markup {
    var rows: [(String, String)] = [
      ("root", "sha256:\(statement.roots.full.hex(32))"),
      ("content root", "sha256:\(statement.roots.content.hex(32))"),
      ("plan", "\(DigestAlgorithm.xxh3.name):\(statement.planDigest.hex(16))"),
      ("sender", party(statement.sender)),
      ("receiver", receipt.endorsement.map { party($0.receiver) } ?? "did not endorse it"),
      ("verified to", statement.verification.name),
      ("cipher", statement.usesShellLane ? "the shell\u{2019}s" : statement.cipher.name),
      ("compression", statement.compression.name),
    ]
    if let endorsement = receipt.endorsement {
      rows.append(("blocks off plan", Figure.grouped(endorsement.offPlanBlockCount)))
      let commits = Figure.count(endorsement.epochCount, "commit")
      rows.append(
        ("commits", "\(commits), \(Figure.duration(endorsement.syncNanoseconds)) in syncs")
      )
    }
    if statement.generation > 0 {
      rows.append(("plan made anew", Figure.count(statement.generation, "time")))
    }
    return .element(
      "dl",
      [:],
      rows.flatMap { row in
        [
          Markup.element("dt", [:], row.0),
          .element("dd", [:], [.element("code", [:], row.1)]),
        ]
      }
    )
  }

  private func party(_ party: ReceiptParty) -> String {
    let key = party.key.map { "key \(PublicKeyText($0).hexadecimal)" } ?? "no key"
    return "\(party.host), \(party.implementation), \(key)"
  }
}

extension ReportPage {
  /// The lanes' figures, a row each.
  private var table: Markup {
    let columns = [
      "lane", "rate", "kept", "worst second of 100", "below 98 %", "held up by", "moved", "blocks",
      "mark", "congestion control", "MSS", "path MTU", "from",
    ]
    let head = Markup.element(
      "thead",
      [:],
      [.element("tr", [:], columns.map { .element("th", [:], $0) })]
    )
    let rows = statement.lanes.enumerated().map { index, lane in
      Markup.element("tr", [:], cells(lane, index).map { .element("td", [:], $0) })
    }
    let table = Markup.element("table", [:], [head, .element("tbody", [:], rows)])
    return .element("div", ["class": "wide"], [table])
  }

  private func cells(_ lane: LaneStatement, _ index: Int) -> [String] {
    let none = "\u{2013}"
    let figures = lane.figures
    let ports = lane.ports.prefix(3).map { String($0) }.joined(separator: " ")
    let more = lane.ports.count > 3 ? " \u{2026}" : ""
    return [
      lane.lane.name.isEmpty ? "\(index)" : "\(index) \(lane.lane.name)",
      lane.lane.rate.map { Figure.rate($0.bitsPerSecond) } ?? none,
      figures.map { ConformanceText.percent($0.mean) } ?? none,
      figures.map { ConformanceText.percent($0.firstPercentile) } ?? none,
      figures.map { Figure.duration($0.belowNanoseconds) } ?? none,
      figures?.idle.greatest?.name ?? none,
      Figure.bytes(lane.byteCount),
      Figure.grouped(lane.blockCount),
      lane.taken.map { "\($0.codePoint)" } ?? none,
      lane.taken?.congestionControl ?? none,
      lane.taken.map { "\($0.segmentByteCount)" } ?? none,
      lane.taken.map { "\($0.pathMTU)" } ?? none,
      lane.address.isEmpty ? none : "\(lane.address) \(ports)\(more)",
    ]
  }
}
