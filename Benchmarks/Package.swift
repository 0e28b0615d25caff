// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let pure: [SwiftSetting] = house + [.strictMemorySafety()]

/// Nested, so that nobody who builds dtx resolves or compiles this.
///
/// The targets named as the parent's are the parent's: links below Sources lead to its folders.
/// What they declare is `package`, and so only a target of the same package sees it; a dependency
/// on the parent would not do.
let package = Package(
  name: "dtx-benchmarks",
  products: [
    .executable(name: "dtx-compare", targets: ["dtx-compare"]),
    .executable(name: "dtx-ceiling", targets: ["dtx-ceiling"]),
    .executable(name: "dtx-micro", targets: ["dtx-micro"]),
    // For LD_PRELOAD, which counts what a program allocates that was not built for it.
    .`library`(name: "allocation-counter", type: .dynamic, targets: ["CAllocations"]),
    // For LD_PRELOAD as well, as the parent's tests use it.
    .`library`(name: "faults", type: .dynamic, targets: ["CFaults"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // The parent's version, exactly: the ceiling program calls the same BoringSSL.
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
  ],
  targets: [
    .target(name: "CXXHash"),
    .target(name: "CLiburing", linkerSettings: [.linkedLibrary(":liburing.a")]),
    .target(name: "CZstd", linkerSettings: [.linkedLibrary(":libzstd.a")]),
    .target(name: "DTXCore", dependencies: ["CXXHash"], swiftSettings: pure),
    .target(name: "DTXLinux", dependencies: ["CLiburing"], swiftSettings: house),
    .target(
      name: "DTXEngine",
      dependencies: [
        "DTXCore", "DTXLinux", "CZstd", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: house
    ),

    .executableTarget(
      name: "dtx-ceiling",
      dependencies: ["CXXHash", .product(name: "Crypto", package: "swift-crypto")],
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
    ),
    .target(name: "Comparison", dependencies: ["CSynthesis", "DTXCore"], swiftSettings: house),
    // C, because the harness makes gigabytes of it and the compiler makes vectors of the loops.
    .target(name: "CSynthesis"),
    .executableTarget(
      name: "dtx-compare",
      dependencies: [
        "Comparison", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house
    ),
    .target(name: "CAllocations"),
    .target(name: "CFaults"),
    .executableTarget(
      name: "dtx-micro",
      dependencies: [
        "CAllocations", "CSynthesis", "Comparison", "DTXEngine", "DTXCore", "DTXLinux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house
    ),
    .testTarget(name: "ComparisonTests", dependencies: ["Comparison"], swiftSettings: house),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
