import DTXCore
import DTXEngine
import Testing

@testable import dtx

@Suite struct ReceiptTextTests {
  @Test func aReceiptIsShownInFewLines() {
    #expect(
      ReceiptText(ReceiptSamples.receipt).lines.joined(separator: "\n") == """
        began     2026-03-01T12:00:00.000000000Z
        sender    fast: /sky/ (dtx 0.1.0)
        receiver  archive: /vault (dtx 0.1.0)
        dataset   10 files in 12 entries, 1.10 GB
        moved     1.00 GB in 60 blocks, 8.00 s; 16.0 MB of it sent again
        skipped   100 MB that the destination had; 50.0 MB by size and time alone
        missing   3 entries
                  a\\x1b[2J: it grew
                  and 2 more
        lane 0    red: reserved 1.00 Gb/s on the wire; 1.01 GB in 61 blocks
                  kept 99.0 % of its rate, 91.3 % in the worst second of 100; below 98 % for \
        1.02 s of 7.00 s, held up most by the receiver, which took no more
        plan      xxh3-128:0000000000000009000000000000000a, made anew 1 time; predicted 7.90 s, \
        took 8.00 s
        cipher    aes-256-gcm
        verified  durable
        root      sha256:0000000000000005000000000000000600000000000000070000000000000008
        content   sha256:0000000000000001000000000000000200000000000000030000000000000004
        signed    by both ends; dtx receipt verify checks it
        """
    )
  }

  @Test func whatIsMissingIsSaid() {
    var receipt = ReceiptSamples.receipt
    receipt.endorsement = nil
    receipt.endorsementSignature = nil
    let lines = ReceiptText(receipt).lines
    #expect(lines.contains("receiver  did not endorse it"))
    #expect(lines.contains("signed    by the sender alone"))
  }

  @Test func aGoodReceiptIsCalledGood() {
    let verdict = ReceiptSamples.verdict()
    #expect(verdict.status == .success)
    #expect(verdict.lines.last == "verdict   good: the receipt, the manifest, the tree")
    #expect(verdict.lines[1].contains("a key that nobody vouched for"))
    let alone = ReceiptSamples.verdict(manifest: nil, tree: nil)
    #expect(alone.status == .success)
    #expect(alone.lines.last == "verdict   good: the receipt")
  }

  @Test func whatIsWrongIsNamed() {
    var damaged = VerifyReport()
    damaged.missing = [bytes("m")]
    let wrong: [(ReceiptVerdict, String)] = [
      (ReceiptSamples.verdict(sender: .missing), "the receipt"),
      (ReceiptSamples.verdict(receiver: .broken), "the receipt"),
      (ReceiptSamples.verdict(manifest: .broken(bytes("m"), "why"), tree: nil), "the manifest"),
      (
        ReceiptSamples.verdict(
          manifest: .other(bytes("m"), Roots(content: .zero, full: .zero)),
          tree: nil
        ), "the manifest"
      ),
      (ReceiptSamples.verdict(tree: damaged), "the tree"),
    ]
    for (verdict, what) in wrong {
      #expect(verdict.status == .integrity)
      #expect(verdict.lines.last == "verdict   not good: \(what)")
    }
  }

  @Test func aKeyThatWasNotNamedIsNotGood() {
    let first = (key: PublicKeyText(Array(0..<32)), path: bytes("first.pub"))
    let second = (key: PublicKeyText(Array(32..<64)), path: bytes("second.pub"))
    #expect(ReceiptSamples.verdict(known: [first, second]).status == .success)
    let half = ReceiptSamples.verdict(known: [first])
    #expect(half.status == .integrity)
    #expect(half.lines[1] == "sender    signed it, by first.pub")
    #expect(half.lines[2].hasPrefix("receiver  signed it with a key that is none of those named"))
    let own = ReceiptSamples.verdict(own: second.key)
    #expect(own.lines[2].hasPrefix("receiver  signed it with your own key"))
  }
}
