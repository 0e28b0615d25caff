/// One entry's bytes, in inventories and manifests alike: dtx-manifest(5), "Entries".
package enum EntryCodec {
  private static let contextFlag: UInt8 = 0x80

  /// Whether attributes that serve one transfer alone are written too.
  package enum Purpose {
    case transfer
    case manifest
  }

  package static func encode(
    _ index: Int,
    of inventory: Inventory,
    for purpose: Purpose,
    into writer: inout ByteWriter
  ) {
    let entry = inventory.entries[index]
    writer.append(entry.kind.rawValue | (entry.isContext ? contextFlag : 0))
    writer.appendVarint(entry.parent.map { $0 + 1 } ?? 0)
    writer.appendCounted(inventory.name(of: index))
    writer.appendVarint(UInt64(entry.mode))
    writer.appendVarint(UInt64(entry.userID))
    writer.appendVarint(UInt64(entry.groupID))
    writer.append(entry.modified)
    writer.appendVarint(entry.byteCount)
    let attributes = inventory.encodedAttributes(of: index)
    if attributes.isEmpty { return writer.appendVarint(0) }
    switch purpose {
    case .transfer:
      writer.appendRaw(attributes)
    case .manifest:
      let kept = inventory.attributes(of: index).filter { $0.isCritical }
      writer.appendRaw(AttributeCodec.encode(kept))
    }
  }

  /// Reads one entry; what it says of its place is for the caller to check.
  package static func decode(
    _ reader: inout ByteReader
  ) throws(FormatError) -> DecodedEntry {
    let first = try reader.byte("entry kind")
    guard let kind = EntryKind(rawValue: first & ~contextFlag) else {
      throw reader.failure("entry kind", .unexpected(found: UInt64(first)))
    }
    let parent = try reader.count(
      "parent",
      maximum: Limits.segmentEntryCount + Limits.pathByteCount
    )
    let name = try reader.counted("name", maximum: Limits.nameByteCount)
    let mode = try reader.varint("mode", maximum: 0o7777)
    let userID = try reader.varint("user id", maximum: UInt64(UInt32.max))
    let groupID = try reader.varint("group id", maximum: UInt64(UInt32.max))
    let modified = try reader.int64("modification time")
    let byteCount = try reader.varint("length", maximum: UInt64(Int64.max))
    let attributes = try AttributeCodec.decode(&reader)
    let entry = Entry(
      kind: kind,
      parent: parent == 0 ? nil : parent - 1,
      isContext: first & contextFlag != 0,
      mode: UInt16(mode),
      userID: UInt32(userID),
      groupID: UInt32(groupID),
      modified: modified,
      byteCount: byteCount
    )
    let decoded = DecodedEntry(entry: entry, name: name, attributes: attributes)
    if let problem = decoded.problem { throw reader.failure("entry", .invalid(problem)) }
    return decoded
  }
}

/// An entry as it was read, not yet put in its place.
package struct DecodedEntry {
  package var entry: Entry
  package var name: ArraySlice<UInt8>
  package var attributes: [Attribute]

  /// What is wrong with it on its own, whatever its neighbours.
  fileprivate var problem: String? {
    if name.contains(0) || name.contains(UInt8(ascii: "/")) { return "a name with / or NUL" }
    if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { return "the name . or .." }
    if entry.isContext, entry.kind != .directory { return "a context that is no directory" }
    var hasTarget = false
    for attribute in attributes {
      switch attribute {
      case .linkTarget:
        hasTarget = true
      case .dataRanges(let ranges):
        guard entry.kind == .regular else { return "data ranges of what is no file" }
        if let last = ranges.last, last.upperBound > entry.byteCount {
          return "data past the file's end"
        }
      case .sourceIdentity:
        break
      }
    }
    if hasTarget != (entry.kind == .symlink) { return "a link target of what is no symlink" }
    if entry.kind != .regular, entry.byteCount != 0 { return "a length of what is no file" }
    return nil
  }
}
