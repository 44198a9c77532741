import { readSettings } from './child.ts';
import { startGateway } from './gateway.ts';

await startGateway(readSettings());
