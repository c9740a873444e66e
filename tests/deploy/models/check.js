// Reads [{"label": ..., "object": {...}}] on standard input and prints one line for each problem of an object.
//
// Two judges. The models' validators know required fields, types and most enumerations. TypeScript, asked whether the object
// fits the model's interface, knows the fields that do not exist, which an API server would drop without a word.
import { readFileSync } from "node:fs";
import ts from "typescript";

const PACKAGES = {
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "keda.sh": "@kubernetes-models/keda",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "postgresql.cnpg.io": "@kubernetes-models/cloudnative-pg",
};

function modelPath({ apiVersion, kind }) {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return `${PACKAGES[group] ?? "kubernetes-models"}/${apiVersion}/${kind}`;
}

async function validated({ label, object }) {
  let model;
  try {
    model = (await import(modelPath(object)))[object.kind];
  } catch {
    return [`${label}: no model of ${object.apiVersion} ${object.kind}`];
  }
  try {
    new model(object).validate();
    return [];
  } catch (error) {
    return [`${label}: ${error.message}`];
  }
}

function typed(documents) {
  const source = documents
    .map(({ object }, n) => {
      const name = `import type { I${object.kind} as T${n} } from ${JSON.stringify(modelPath(object))};`;
      return `${name} const d${n}: T${n} = ${JSON.stringify(object)};`;
    })
    .join("\n");
  const options = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
  const file = new URL("rendered.ts", import.meta.url).pathname;
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  host.getSourceFile = (name, languageVersion, ...more) =>
    name === file ? ts.createSourceFile(name, source, languageVersion, true) : getSourceFile(name, languageVersion, ...more);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((problem) => {
    const line = problem.file?.getLineAndCharacterOfPosition(problem.start).line;
    const label = line === undefined ? "TypeScript" : documents[line].label;
    return `${label}: ${ts.flattenDiagnosticMessageText(problem.messageText, "; ")}`;
  });
}

const documents = JSON.parse(readFileSync(0, "utf8"));
const problems = (await Promise.all(documents.map(validated))).flat();
const modelled = documents.filter(({ label }) => !problems.some((problem) => problem.startsWith(`${label}: no model of `)));
console.log([...problems, ...typed(modelled)].join("\n"));
