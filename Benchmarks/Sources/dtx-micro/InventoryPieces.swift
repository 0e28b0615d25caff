internal import DTXCore

/// What a small file costs before its first byte is read.
enum InventoryPieces {
  static func measure(with stopwatch: inout Stopwatch) {
    let count = 10_000
    let inventory = SampleSegments.smallFiles(count)
    let page = SampleSegments.page(of: inventory)
    stopwatch.time("inventory encode", per: "entry", inventory.count) {
      UInt64(SampleSegments.page(of: inventory).count)
    }
    stopwatch.time("inventory decode", per: "entry", inventory.count) {
      var decoder = InventoryDecoder(
        isFirstSegment: true,
        blockByteCount: SampleSegments.blockByteCount
      )
      do {
        try decoder.add(page: page[...])
      } catch {
        preconditionFailure("what was just encoded decodes")
      }
      return UInt64(decoder.finish().count)
    }
    stopwatch.time("chunker", per: "entry", inventory.count) {
      let cut = Chunker.cut(inventory, blockByteCount: SampleSegments.blockByteCount)
      return UInt64(cut.blocks.count)
    }
  }
}
