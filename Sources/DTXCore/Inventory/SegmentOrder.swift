/// Whether a dataset's segments follow each other in canonical order, so that no path comes twice.
package struct SegmentOrder: Equatable, Sendable {
  private var latestPath: [UInt8]?

  package init() {}

  /// Takes the next segment's inventory, or says why it cannot come next.
  package mutating func add(_ inventory: Inventory) -> String? {
    guard let first = inventory.entries.firstIndex(where: { !$0.isContext }) else {
      return inventory.count == 0 ? nil : "contexts that lead nowhere"
    }
    for index in 0...first where inventory.entries[index].parent != (index == 0 ? nil : index - 1) {
      return "contexts that lead elsewhere"
    }
    if let latestPath, !Inventory.precedes(latestPath, inventory.path(of: first)) {
      return "a segment out of canonical order"
    }
    latestPath = inventory.path(of: inventory.count - 1)
    return nil
  }
}
