internal import DTXCore

/// Values by path, in canonical order: what a hash table would be if its order were the same in
/// every process.
package struct PathTable<Value: Equatable & Sendable>: Equatable, Sendable {
  package private(set) var paths: [[UInt8]] = []
  package private(set) var values: [Value] = []

  package init() {}

  package var count: Int { paths.count }
  package var isEmpty: Bool { paths.isEmpty }

  package subscript(path: [UInt8]) -> Value? {
    get {
      let index = firstIndex(from: path)
      return index < paths.count && paths[index] == path ? values[index] : nil
    }
    set {
      let index = firstIndex(from: path)
      let isKnown = index < paths.count && paths[index] == path
      if let newValue {
        if isKnown {
          values[index] = newValue
        } else {
          paths.insert(path, at: index)
          values.insert(newValue, at: index)
        }
      } else if isKnown {
        paths.remove(at: index)
        values.remove(at: index)
      }
    }
  }

  /// Changes a value where it stands; nothing when there is none.
  package mutating func update(_ path: [UInt8], _ change: (inout Value) -> Void) {
    let index = firstIndex(from: path)
    guard index < paths.count, paths[index] == path else { return }
    change(&values[index])
  }

  package mutating func updateAll(_ change: (inout Value) -> Void) {
    for index in values.indices { change(&values[index]) }
  }

  private func firstIndex(from path: [UInt8]) -> Int {
    var low = 0
    var high = paths.count
    while low < high {
      let middle = (low + high) / 2
      if Inventory.precedes(paths[middle], path) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
