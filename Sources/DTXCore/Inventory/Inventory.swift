/// One segment's entries in canonical order, before any byte is read.
///
/// Canonical order compares paths component by component, bytes unsigned, so that a directory
/// comes before its subtree and the subtree is contiguous. A segment begins with the directories,
/// marked as context, that its first entry lies in.
package struct Inventory: Sendable {
  package private(set) var entries: [Entry] = []
  private var names: [UInt8] = []
  private var attributes: [UInt8] = []
  /// Bytes of the files in `entries`.
  package private(set) var byteCount: UInt64 = 0

  package init() {}

  package var count: Int { entries.count }

  /// Entries that belong to this segment, without those of earlier ones.
  package var ownEntryCount: Int {
    entries.count - (entries.firstIndex { !$0.isContext } ?? entries.count)
  }

  /// Adds the next entry.
  ///
  /// - Parameters:
  ///   - entry: its parent must already be here.
  ///   - name: its last component; empty for the dataset's root alone.
  ///   - list: its attributes in ascending order of their types.
  /// - Returns: the entry's index.
  @discardableResult
  package mutating func append(
    _ entry: Entry,
    name: some Collection<UInt8>,
    attributes list: [Attribute] = []
  ) -> Int {
    precondition(name.count <= Limits.nameByteCount, "a name of \(name.count) bytes")
    var added = entry
    added.nameOffset = UInt32(names.count)
    added.nameByteCount = UInt8(name.count)
    names.append(contentsOf: name)
    if !list.isEmpty {
      let encoded = AttributeCodec.encode(list)
      added.attributesOffset = UInt32(attributes.count)
      added.attributesByteCount = UInt32(encoded.count)
      attributes.append(contentsOf: encoded)
    }
    entries.append(added)
    byteCount += entry.byteCount
    return entries.count - 1
  }

  /// The last component of an entry's path.
  package func name(of index: Int) -> ArraySlice<UInt8> {
    let entry = entries[index]
    return names[Int(entry.nameOffset)..<Int(entry.nameOffset) + Int(entry.nameByteCount)]
  }

  /// The path below the dataset's root, components joined by `/`; empty for the root itself.
  package func path(of index: Int) -> [UInt8] {
    var chain: [Int] = [index]
    while let parent = entries[chain[chain.count - 1]].parent { chain.append(parent) }
    var path: [UInt8] = []
    for step in chain.reversed() {
      let name = name(of: step)
      if name.isEmpty { continue }
      if !path.isEmpty { path.append(UInt8(ascii: "/")) }
      path.append(contentsOf: name)
    }
    return path
  }

  /// An entry's attributes; empty for most.
  package func attributes(of index: Int) -> [Attribute] {
    let bytes = encodedAttributes(of: index)
    guard !bytes.isEmpty else { return [] }
    var reader = ByteReader(bytes)
    guard let list = try? AttributeCodec.decode(&reader) else {
      preconditionFailure("attributes were checked when the entry was added")
    }
    return list
  }

  /// Where a symlink points; empty for anything else.
  package func linkTarget(of index: Int) -> [UInt8] {
    for case .linkTarget(let target) in attributes(of: index) { return target }
    return []
  }

  /// What tells versions of a source file apart, beyond length and time; 0 when the sender said
  /// nothing.
  package func sourceIdentity(of index: Int) -> UInt64 {
    for case .sourceIdentity(let identity) in attributes(of: index) { return identity }
    return 0
  }

  /// The ranges of a file that hold data: all of it unless it is sparse.
  package func dataRanges(of index: Int) -> [Range<UInt64>] {
    for case .dataRanges(let ranges) in attributes(of: index) { return ranges }
    let length = entries[index].byteCount
    return length == 0 ? [] : [0..<length]
  }

  /// Whether part of a file is a hole.
  package func hasHoles(_ index: Int) -> Bool {
    entries[index].attributesByteCount > 0
      && dataRanges(of: index) != [0..<entries[index].byteCount]
  }

  /// What a manifest holds of these entries when all of them are kept: the same, but that a context
  /// has a name and a place alone.
  ///
  /// - Returns: nil where some entry has attributes, of which a manifest leaves some out, or where
  ///   the contexts are not just the way to the first entry.
  internal var asManifest: Inventory? {
    let contextCount = count - ownEntryCount
    guard attributes.isEmpty, contextCount < count else { return nil }
    for index in 0...contextCount where contextCount > 0 {
      guard entries[index].parent == (index == 0 ? nil : index - 1) else { return nil }
    }
    var copy = self
    for index in 0..<contextCount {
      copy.entries[index].mode = 0
      copy.entries[index].userID = 0
      copy.entries[index].groupID = 0
      copy.entries[index].modified = 0
    }
    return copy
  }

  internal func encodedAttributes(of index: Int) -> ArraySlice<UInt8> {
    let entry = entries[index]
    let start = Int(entry.attributesOffset)
    return attributes[start..<start + Int(entry.attributesByteCount)]
  }

  internal mutating func setExtents(of index: Int, first: Int, count: Int) {
    entries[index].firstExtent = UInt32(first)
    entries[index].extentCount = UInt32(count)
  }
}

extension Inventory {
  /// Whether one path comes before another: component by component, bytes unsigned.
  ///
  /// A `/` sorts below every other byte, and the end of a path below that.
  package static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    for (first, second) in zip(left, right) where first != second {
      if first == slash { return true }
      if second == slash { return false }
      return first < second
    }
    return left.count < right.count
  }
}
