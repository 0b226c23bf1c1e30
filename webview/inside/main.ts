import '../ui/cspNonce.ts';
import type { InsidePanelIn, InsidePanelOut } from '../../src/shared/protocol/insidePanel.ts';
import { registerControls } from '../ui/controls.ts';
import { connectHost } from '../ui/host.ts';
import { adoptPageStyles } from '../ui/pageStyles.ts';
import { InsidePanel } from './insidePanel.ts';

registerControls();
adoptPageStyles('editor');
const panel = new InsidePanel();
const host = connectHost<InsidePanelIn, InsidePanelOut>((message) => panel.receive(message));
panel.host = host;
document.body.append(panel);
host.post({ type: 'ready' });
