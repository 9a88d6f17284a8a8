/** The same for CommonJS. */
import core = require('holdfast');
import audit = require('holdfast/audit');
import auditNode = require('holdfast/audit/node');
import metrics = require('holdfast/metrics');
import server = require('holdfast/server');
import serverWs = require('holdfast/server/ws');
import testing = require('holdfast/testing');

export = { core, audit, auditNode, metrics, server, serverWs, testing };
