internal import DTXCore

// What lies on disks, and may have rotted there or come from somebody else.
extension Decoder {
  static let records = [
    Decoder("journal", check: checkJournal),
    Decoder("manifest", check: checkManifest),
    Decoder("receipt", encode: ReceiptCodec.encode, decode: ReceiptCodec.decode) {
      receipt throws(Violation) in
      let statement = receipt.statement
      try demand(statement.differences(from: statement).isEmpty, "it differs from itself")
      let offer = ReceiptCodec.offer(statement, signature: receipt.statementSignature)
      let offered = try taken(offer, ReceiptCodec.decodeOffer)
      try demand(offered?.statement == statement, "its offer says something else")
    },
  ]

  /// Takes a journal as it is, and then with checksums that hold: no mutation finds one.
  @Sendable private static func checkJournal(_ bytes: [UInt8]) throws(Violation) {
    try holdJournal(bytes)
    try holdJournal(sealedJournal(bytes))
  }

  private static func holdJournal(_ bytes: [UInt8]) throws(Violation) {
    let replay = JournalReplay(bytes)
    try demand(replay.validByteCount <= bytes.count, "more bytes than there are")
    let valid = JournalReplay(Array(bytes.prefix(replay.validByteCount)))
    try demand(valid.end == .clean, "what counts of it is torn")
    try demand(valid.files == replay.files, "what counts of it says something else")
    try demand(valid.nextSequence == replay.nextSequence, "what counts of it has another end")
    var last: [UInt8]?
    for file in replay.files {
      let path = file.identity.path
      try demand(last.map { Inventory.precedes($0, path) } ?? true, "files do not ascend")
      last = path
      try demand(replay.file(at: path) == file, "a file is not found")
      var end: UInt64 = 0
      for extent in file.extents {
        try demand(extent.offset >= end && extent.byteCount > 0, "extents are not apart")
        end = extent.end
      }
      try demand(end <= file.identity.byteCount, "an extent past the file's end")
    }
    let compacted = JournalReplay(
      replay.compacted(session: 1, epoch: 2, blockByteCount: 65_536, wallTime: 3)
    )
    try demand(compacted.end == .clean, "compacted, it is torn")
    try demand(compacted.files == replay.files, "compacted, it says something else")
  }

  /// The same bytes with the right checksum in each record that they hold.
  private static func sealedJournal(_ bytes: [UInt8]) -> [UInt8] {
    var sealed = bytes
    var start = JournalCodec.fileHeader.count
    while start + 12 <= sealed.count {
      let byteCount = (0..<4).reduce(0) { $0 | Int(sealed[start + $1]) << (8 * $1) }
      let end = start + 4 + byteCount
      guard byteCount >= 8, end <= sealed.count else { break }
      let checksum = Digest.xxh3(of: Array(sealed[start..<end - 8])).bytes(8)
      sealed.replaceSubrange(end - 8..<end, with: checksum)
      start = end
    }
    return sealed
  }

  /// Takes a manifest as it is, and then with roots that hold: where every root is zero, the right
  /// ones are.
  @Sendable private static func checkManifest(_ bytes: [UInt8]) throws(Violation) {
    _ = try taken(bytes) { bytes throws(FormatError) in
      try Manifest(decoding: bytes, hash: .xxh3)
    }
    let hash = RootHash(algorithm: .sha256) { _ in .zero }
    let sealed = sealedManifest(bytes)
    let decode: ([UInt8]) throws(FormatError) -> Manifest = { bytes throws(FormatError) in
      try Manifest(decoding: bytes, hash: hash)
    }
    guard let manifest = try taken(sealed, decode) else { return }
    for part in manifest.segments { try holdSegment(part) }
    let again = manifest.encoded(hash: hash)
    // An attribute that nobody knows is left out.
    try demand(again == sealed || again.count < sealed.count, "it encodes to other bytes")
    guard let other = try taken(again, decode) else { throw Violation("its encoding is refused") }
    try demand(other.summary == manifest.summary, "its encoding has another summary")
    try demand(other.encoded(hash: hash) == again, "its encoding has another encoding")
  }

  private static func holdSegment(_ part: ManifestSegment) throws(Violation) {
    for index in part.entries.indices where !part.entries[index].isContext {
      let path = part.inventory.path(of: index)
      try demand(part.entry(at: path) == index, "an entry is not found by its path")
    }
    for block in part.segment.blocks.indices { _ = part.blockDigest(block) }
  }

  /// The same bytes with zeros where the roots of each section are.
  private static func sealedManifest(_ bytes: [UInt8]) -> [UInt8] {
    var sealed = bytes
    let headerByteCount = ManifestCodec.sectionHeaderByteCount
    var start = ManifestHeader.byteCount
    while start + headerByteCount <= sealed.count {
      var reader = ByteReader(sealed[start..<start + headerByteCount])
      guard let section = try? ManifestCodec.decodeSectionHeader(&reader) else { break }
      start += headerByteCount
      let end = start + Int(section.byteCount)
      guard end <= sealed.count, section.byteCount >= 64 else { break }
      let place = section.kind == .trailer ? start : end - 64
      sealed.replaceSubrange(place..<place + 64, with: repeatElement(0, count: 64))
      start = end
    }
    return sealed
  }
}
