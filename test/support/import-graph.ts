import { basename, dirname, join } from 'node:path/posix';
import ts from 'typescript';

/** One source file of the tree; its path is relative to the repository and uses forward slashes. */
export interface SourceFile {
  path: string;
  text: string;
}

/** One place where a module names another; `target` is a path of the tree, or a package's name as written. */
export interface Import {
  target: string;
  external: boolean;
  typeOnly: boolean;
}

/** What the rules need to know of one file. */
export interface Module {
  path: string;
  lines: number;
  imports: readonly Import[];
  /** Whether the file holds nothing but types, so that there is nothing to test. */
  typesOnly: boolean;
  /** Where each machine that the file calls `provide()` on was imported from; null where that cannot be told. */
  provided: readonly (string | null)[];
}

/** One line of the import table: the files of a room, and what they may import. */
export interface ImportRule {
  room: RegExp;
  /** Files of the tree. */
  files: readonly RegExp[];
  /** Files of which only the types may be imported. */
  typesOf?: readonly RegExp[];
  /** Packages by name, `node:` for Node's own, or any package. */
  packages: readonly string[] | 'any';
}

/** What the rules need to know of a file, from its text alone. */
export function parseModule({ path, text }: SourceFile): Module {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const provided: (string | null)[] = [];
  const origins = importedNames(source, path);

  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found) imports.push({ ...resolve(path, found.specifier), typeOnly: found.typeOnly });
    if (isProvideCall(node)) provided.push(origins.get(leftmostName(node.expression)) ?? null);
    ts.forEachChild(node, visit);
  };
  visit(source);

  return {
    path,
    lines: text.replace(/\n$/, '').split('\n').length,
    imports,
    typesOnly: source.statements.every(isTypeStatement),
    provided,
  };
}

/** Imports that the table does not allow. A file without a room is one too, so that a new folder needs a decision. */
export function forbiddenImports(modules: readonly Module[], table: readonly ImportRule[]): string[] {
  return modules.flatMap(({ path, imports }) => {
    const rule = table.find(({ room }) => room.test(path));
    if (!rule) return [`${path} is in no room of the import table`];
    return imports
      .filter((found) => !isAllowed(found, rule))
      .map(({ target, typeOnly }) => `${path} imports ${typeOnly ? 'types of ' : ''}${target}`);
  });
}

/** Rings of imports, type imports included, each told once as `a → b → a`. */
export function importRings(modules: readonly Module[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const settled = new Set<string>();
  const rings: string[] = [];

  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) rings.push([...trail.slice(start), path].join(' → '));
    if (start >= 0 || settled.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) walk(target, [...trail, path]);
    settled.add(path);
  };
  for (const { path } of modules) walk(path, []);
  return rings;
}

/** Files that have grown into two rooms. */
export function oversized(modules: readonly Module[], maxLines: number): string[] {
  return modules.filter(({ lines }) => lines > maxLines).map(({ path, lines }) => `${path} has ${lines} lines`);
}

/** Files of machines/ and src/ without a test of the same relative name; index files and pure types need none. */
export function untested(modules: readonly Module[], paths: ReadonlySet<string>): string[] {
  return modules
    .filter(({ path, typesOnly }) => /^(machines|src)\//.test(path) && !typesOnly && !/\/index\.tsx?$/.test(path))
    .filter(({ path }) => !paths.has(testOf(path)) && !paths.has(`${testOf(path)}x`))
    .map(({ path }) => `${path} has no ${testOf(path)}`);
}

/** Calls of `provide()` outside the one file of src/ that has the machine's name. */
export function misplacedProvides(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, provided }) =>
    provided
      .filter((machine) => !path.startsWith('src/') || machine !== `machines/${basename(path)}`)
      .map((machine) => `${path} provides ${machine ?? 'a machine it does not import'}`),
  );
}

/** Files and folders whose names are not kebab-case. */
export function misnamed(paths: Iterable<string>): string[] {
  const kebab = /^[a-z\d]+(-[a-z\d]+)*$/;
  return [...paths].filter((path) => !path.split(/[/.]/).every((part) => kebab.test(part)));
}

function testOf(path: string): string {
  return `test/${path.replace(/^src\//, '').replace(/\.tsx?$/, '')}.test.ts`;
}

function isAllowed({ target, external, typeOnly }: Import, { files, typesOf = [], packages }: ImportRule): boolean {
  if (!external) return [...files, ...(typeOnly ? typesOf : [])].some((pattern) => pattern.test(target));
  return packages === 'any' || packages.includes(packageOf(target));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function resolve(from: string, specifier: string): Pick<Import, 'target' | 'external'> {
  const external = !specifier.startsWith('.');
  return { external, target: external ? specifier : join(dirname(from), specifier) };
}

function importOf(node: ts.Node): { specifier: string; typeOnly: boolean } | null {
  if (ts.isImportDeclaration(node)) {
    return named(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
  }
  if (ts.isExportDeclaration(node)) return named(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return named(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return named(node.arguments[0], false);
  }
  return null;
}

function named(specifier: ts.Node | undefined, typeOnly: boolean): { specifier: string; typeOnly: boolean } | null {
  return specifier && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, typeOnly } : null;
}

function importedNames(source: ts.SourceFile, path: string): Map<string, string> {
  const origins = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const { target } = resolve(path, statement.moduleSpecifier.text);
    const { name, namedBindings } = statement.importClause ?? {};
    const bindings = namedBindings && ts.isNamedImports(namedBindings) ? namedBindings.elements : [namedBindings];
    for (const identifier of [name, ...bindings.map((binding) => binding?.name)]) {
      if (identifier) origins.set(identifier.text, target);
    }
  }
  return origins;
}

function isProvideCall(node: ts.Node): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === 'provide'
  );
}

function leftmostName(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression)) {
    return leftmostName(expression.expression);
  }
  return '';
}

function isTypeStatement(statement: ts.Statement): boolean {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isImportDeclaration(statement) ||
    (ts.isExportDeclaration(statement) && (statement.isTypeOnly || !statement.moduleSpecifier))
  );
}
