/// The attributes' bytes: dtx-manifest(5), "Attributes".
package enum AttributeCodec {
  /// A count, then for each a tag (type times two, plus one when critical) and counted bytes.
  package static func encode(_ attributes: [Attribute]) -> [UInt8] {
    var writer = ByteWriter()
    writer.appendVarint(attributes.count)
    var previous = -1
    for attribute in attributes {
      let kind = Int(attribute.kind.rawValue)
      precondition(kind > previous, "attributes ascend by type")
      previous = kind
      writer.appendVarint(kind * 2 + (attribute.isCritical ? 1 : 0))
      writer.appendCounted(payload(of: attribute))
    }
    return writer.bytes
  }

  /// Reads what `encode` wrote.
  ///
  /// An unknown attribute is refused when it is critical and left out when it is not.
  package static func decode(_ reader: inout ByteReader) throws(FormatError) -> [Attribute] {
    let count = try reader.count("attribute count", maximum: Limits.attributeCount)
    var list: [Attribute] = []
    var previous = -1
    for _ in 0..<count {
      let tag = try reader.count("attribute type", maximum: 2 * Int(UInt8.max) + 1)
      let type = tag / 2
      guard type > previous else {
        throw reader.failure("attribute type", .invalid("types do not ascend"))
      }
      previous = type
      let bytes = try reader.counted("attribute", maximum: Limits.attributeByteCount)
      guard let kind = Attribute.Kind(rawValue: UInt8(type)) else {
        if tag % 2 == 1 {
          throw reader.failure("attribute type", .invalid("critical type \(type) is unknown"))
        }
        continue
      }
      let attribute: Attribute
      do throws(FormatError) {
        attribute = try AttributeCodec.attribute(kind, ByteReader(bytes))
      } catch {
        // A slice keeps its place, which is the offset in the bytes that hold the attribute.
        let offset = bytes.startIndex + error.offset
        throw FormatError(offset: offset, field: error.field, problem: error.problem)
      }
      guard attribute.isCritical == (tag % 2 == 1) else {
        throw reader.failure("attribute type", .invalid("type \(type) has the other criticality"))
      }
      list.append(attribute)
    }
    return list
  }

  /// Data ranges that one attribute has room for: two numbers below 2^63 take nine bytes each, and
  /// so may their count.
  package static let dataRangeCountMaximum = (Limits.attributeByteCount - 9) / 18

  /// Joins ranges over the smallest gaps until they fit an attribute.
  ///
  /// The holes between them become data, zeros that are sent as such.
  ///
  /// - Parameter ranges: ascending, not touching.
  /// - Returns: the same ones where they fit.
  package static func fitting(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    guard ranges.count > dataRangeCountMaximum else { return ranges }
    let gaps = zip(ranges, ranges.dropFirst()).map { $1.lowerBound - $0.upperBound }.sorted()
    // As many gaps stay as ranges may, less one; where several are as small as the limit, all go.
    let limit = gaps[ranges.count - 1 - dataRangeCountMaximum]
    var joined: [Range<UInt64>] = []
    for range in ranges {
      if let last = joined.last, range.lowerBound - last.upperBound <= limit {
        joined[joined.count - 1] = last.lowerBound..<range.upperBound
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  private static func payload(of attribute: Attribute) -> [UInt8] {
    var writer = ByteWriter()
    switch attribute {
    case .linkTarget(let target):
      writer.appendRaw(target)
    case .dataRanges(let ranges):
      writer.appendVarint(ranges.count)
      var position: UInt64 = 0
      for range in ranges {
        writer.appendVarint(range.lowerBound - position)
        writer.appendVarint(range.upperBound - range.lowerBound)
        position = range.upperBound
      }
    case .sourceIdentity(let identity):
      writer.append(identity)
    }
    return writer.bytes
  }

  private static func attribute(
    _ kind: Attribute.Kind,
    _ payload: ByteReader
  ) throws(FormatError) -> Attribute {
    var reader = payload
    let attribute: Attribute
    switch kind {
    case .linkTarget:
      let target = Array(try reader.raw("link target", byteCount: reader.remainingByteCount))
      guard !target.isEmpty, target.count <= Limits.pathByteCount, !target.contains(0) else {
        throw reader.failure("link target", .invalid("empty, too long, or with a NUL"))
      }
      attribute = .linkTarget(target)
    case .dataRanges:
      attribute = .dataRanges(try ranges(&reader))
    case .sourceIdentity:
      attribute = .sourceIdentity(try reader.uint64("source identity"))
    }
    try reader.finish("attribute")
    return attribute
  }

  private static func ranges(_ reader: inout ByteReader) throws(FormatError) -> [Range<UInt64>] {
    // Each range takes two bytes at the least.
    let count = try reader.count("data range count", maximum: reader.remainingByteCount / 2)
    var ranges: [Range<UInt64>] = []
    ranges.reserveCapacity(count)
    var position: UInt64 = 0
    for _ in 0..<count {
      let gap = try reader.varint("data range gap", maximum: UInt64(Int64.max))
      let length = try reader.varint("data range length", maximum: UInt64(Int64.max))
      guard length > 0, gap > 0 || ranges.isEmpty else {
        throw reader.failure("data range", .invalid("empty, or touching the one before"))
      }
      let start = position &+ gap
      let end = start &+ length
      // Both terms are below 2^63, hence a sum that wrapped is below its parts.
      guard start >= position, end > start, end <= UInt64(Int64.max) else {
        throw reader.failure("data range", .invalid("past the largest offset"))
      }
      ranges.append(start..<end)
      position = end
    }
    return ranges
  }
}
