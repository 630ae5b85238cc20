// Prints both crawls as JSON: {"wave1": [[account, [followed, …], signed_at], …], "wave2": …}.
// Usage: node build_nostr.mjs FOLDER_OF_1.0.5 FOLDER_OF_1.0.36   (the unpacked npm packages)
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [first, second] = process.argv.slice(2).map((folder) => resolve(folder));

function readJson(folder) {
  const graph = JSON.parse(readFileSync(join(folder, "data", "socialGraph.json"), "utf8"));
  const keyOf = new Map(graph.uniqueIds.map(([key, id]) => [id, key]));
  return graph.followLists.map(([owner, list, signedAt]) => [
    keyOf.get(owner), list.map((id) => keyOf.get(id)), signedAt,
  ]);
}

async function readBinary(folder, root) {
  const module = join(folder, "dist", "nostr-social-graph.es.js");
  const { SocialGraph } = await import(pathToFileURL(module));
  const bytes = new Uint8Array(readFileSync(join(folder, "data", "socialGraph.bin")));
  const graph = await SocialGraph.fromBinary(root, bytes);
  const { followedByUser, followListCreatedAt } = graph.getInternalData();
  return [...followedByUser].map(([owner, list]) => [
    graph.str(owner), [...list].map((id) => graph.str(id)), followListCreatedAt.get(owner) ?? null,
  ]);
}

const wave1 = readJson(first);
const wave2 = await readBinary(second, wave1[0][0]);
process.stdout.write(JSON.stringify({ wave1, wave2 }));
