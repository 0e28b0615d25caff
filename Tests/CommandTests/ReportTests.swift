import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct ReportTests {
  @Test func thePageNeedsNothingElse() {
    let page = ReportPage(ReceiptSamples.receipt).html
    #expect(page.hasPrefix("<!doctype html>\n<html lang=\"en\"><head>"))
    for foreign in ["http", "<script", "src=", "href=", "url(", "@import"] {
      #expect(!page.contains(foreign), "\(foreign)")
    }
    #expect(page == ReportPage(ReceiptSamples.receipt).html)
  }

  @Test func whatAReceiptSaysIsNeverMarkup() {
    var receipt = ReceiptSamples.receipt
    let hostile = "</title><script>alert('1')</script>\" onload=\"x\u{202e}\u{7}"
    receipt.statement.sender.host = hostile
    receipt.statement.sender.paths = [bytes(hostile)]
    receipt.statement.sender.implementation = hostile
    receipt.statement.lanes[0].lane.name = hostile
    receipt.statement.lanes[0].address = hostile
    receipt.statement.missing[0].reason = hostile
    receipt.statement.missing[0].path = bytes(hostile)
    let page = ReportPage(receipt).html
    #expect(!page.contains("<script"))
    #expect(!page.contains("\" onload"))
    #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x"))
    #expect(!page.unicodeScalars.contains("\u{202e}") && !page.unicodeScalars.contains("\u{7}"))
    expectBalanced(page)
  }

  @Test("any number of lanes and intervals makes a page", arguments: [0, 1, 3, 256])
  func takesAnyLanes(laneCount: Int) {
    for intervalCount in [0, 1, 512] {
      var receipt = ReceiptSamples.receipt
      var lane = receipt.statement.lanes[0]
      lane.intervals = (0..<intervalCount).map { _ in lane.intervals[0] }
      receipt.statement.lanes = (0..<laneCount).map { _ in lane }
      receipt.statement.progress = intervalCount == 0 ? [] : receipt.statement.progress
      let page = ReportPage(receipt).html
      expectBalanced(page)
      #expect(page.components(of: "<figcaption>") == laneCount)
    }
  }

  @Test func whateverTheNumbersThePageIsMade() {
    var receipt = ReceiptSamples.receipt
    var interval = LaneInterval()
    interval.nanoseconds = .max
    interval.reservedByteCount = .max
    interval.deliveredByteCount = .max
    interval.retransmittedByteCount = .max
    interval.roundTripMicroseconds = .max
    for cause in IdleCause.allCases { interval.idle[cause] = .max }
    receipt.statement.lanes[0].intervals = [interval, interval]
    receipt.statement.lanes[0].prediction = LanePrediction(
      byteCount: .max,
      wireByteCount: .max,
      blockCount: .max,
      start: .max,
      finish: 0
    )
    receipt.statement.progress = [
      ProgressInterval(nanoseconds: .max, durableByteCount: .max),
      ProgressInterval(nanoseconds: .max, durableByteCount: .max),
    ]
    for extreme in [0, .max] as [UInt64] {
      receipt.statement.nanoseconds = extreme
      receipt.statement.predictedNanoseconds = .max - extreme
      receipt.statement.movedByteCount = extreme
      receipt.statement.missingCount = extreme
      expectBalanced(ReportPage(receipt).html)
    }
  }

  @Test func aBrokenSignatureIsSaidAtTheTop() {
    // The sample's signatures are nobody's.
    #expect(ReportPage(ReceiptSamples.receipt).html.contains("<b>Broken</b>"))
    var receipt = ReceiptSamples.receipt
    receipt.statementSignature = nil
    receipt.endorsementSignature = nil
    #expect(ReportPage(receipt).html.contains("<b>Not signed</b>"))
  }

  /// Every element that begins ends, in the right order.
  private func expectBalanced(_ page: String) {
    var open: [Substring] = []
    for piece in page.split(separator: "<").dropFirst() {
      guard let end = piece.firstIndex(of: ">") else {
        Issue.record("a tag without its end: \(piece.prefix(40))")
        return
      }
      let tag = piece[..<end]
      if tag.hasPrefix("/") {
        #expect(open.popLast() == tag.dropFirst())
      } else if !tag.hasPrefix("!"), !tag.hasPrefix("meta") {
        open.append(tag.prefix { $0 != " " })
      }
    }
    #expect(open.isEmpty)
  }
}

extension String {
  /// How often a part is in it.
  fileprivate func components(of part: String) -> Int { split(separator: part).count - 1 }
}
