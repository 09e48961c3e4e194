// S3 through the AWS SDK for JavaScript, version 3, and its upload manager.
// Arguments: endpoint, access key, secret, bucket.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { Readable } from "node:stream";

// Modules are looked up where the test installed them, not beside this file.
const require = createRequire(`${process.env.MODULES}/package.json`);
const { S3Client, PutObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command,
    DeleteObjectsCommand, CopyObjectCommand, paginateListObjectsV2 } = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const [endpoint, accessKeyId, secretAccessKey, Bucket] = process.argv.slice(2);
const client = new S3Client({
    endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
});

const read = async (Key) =>
    Buffer.from(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToByteArray());

// One call, text with a checksum of its own accord.
await client.send(new PutObjectCommand({ Bucket, Key: "ü +1", Body: "text", Metadata: { colour: "red" } }));
assert.equal((await read("ü +1")).toString(), "text");
const head = await client.send(new HeadObjectCommand({ Bucket, Key: "ü +1", ChecksumMode: "ENABLED" }));
assert.deepEqual([head.Metadata.colour, typeof head.ChecksumCRC32], ["red", "string"]);

// A stream of unknown length, sent in parts.
const content = randomBytes((11 << 20) + 5);
async function* pieces() {
    for (let at = 0; at < content.length; at += 100000) yield content.subarray(at, at + 100000);
}
const upload = new Upload({
    client, queueSize: 3, partSize: 5 << 20,
    params: { Bucket, Key: "large", Body: Readable.from(pieces()) },
});
let progress = 0;
upload.on("httpUploadProgress", () => { progress += 1; });
const done = await upload.done();
assert.match(done.ETag, /-3"$/);
assert.ok(progress >= 3);
assert.ok(content.equals(await read("large")));

// An upload that is given up leaves nothing.
const given = new Upload({
    client, partSize: 5 << 20, params: { Bucket, Key: "given up", Body: Readable.from(pieces()) },
});
given.on("httpUploadProgress", () => given.abort());
await assert.rejects(given.done(), { name: "AbortError" });

await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: encodeURI(`${Bucket}/ü +1`) }));
const keys = [];
for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket })) {
    keys.push(...page.Contents.map((each) => each.Key));
}
assert.deepEqual(keys, ["copy", "large", "ü +1"]);

// A presigned URL works without the SDK.
const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "copy" }), { expiresIn: 60 });
assert.equal(await (await fetch(url)).text(), "text");

await assert.rejects(read("absent"), { name: "NoSuchKey" });
await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
assert.equal((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
